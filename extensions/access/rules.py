"""What an application may ask and a grant may give. Pure: no session, no clock.

Source: Measures, art. 28 (conditional opening), art. 26 (least sufficiency), art. 45
(protection); domain/measures.md F5. The numbers are the portal's own (P).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from extensions.access.masking import GRANTABLE, is_masked
from portal.errors import Defect
from portal.rules.entry_content import EntryContent, InformationItem

API_CODE = re.compile(r"[a-z][a-z0-9-]{2,40}")
MAX_TERM_DAYS = 366
MAX_EXTENSION_WORKING_DAYS = 10
RENEWAL_WORKING_DAYS = 20
REMINDERS_WORKING_DAYS = (10, 3)
MAX_KEY_OVERLAP_HOURS = 24
MAX_KEYS, KEY_NAME_MAX = 5, 60
MAX_DAILY_QUOTA = 10_000_000
MAX_PER_MINUTE = 6_000
MAX_PER_SECOND = 1_000
MAX_TERM_QUOTA = 1_000_000_000
DEFAULT_DAILY_QUOTA = 10_000
DEFAULT_PER_MINUTE = 60
TEXT_MAX = 4_000
PURPOSE_MIN, SCENARIO_MIN, CAPABILITY_MIN, STORAGE_MIN, FIELD_REASON_MIN = 10, 10, 20, 10, 5
RESULT_MIN, TITLE_MAX, URL_MAX = 20, 100, 500

UNDERTAKINGS = {
    "purpose_only": "仅将数据用于本申请写明的用途和场景，不改作他用",
    "no_transfer": "不向第三方提供、转让原始数据和密钥",
    "protect": "采取与数据级别相适应的安全保护措施，发现泄露立即报告提供单位",
    "no_identify": "不利用数据识别特定自然人，不与其他来源拼接个人信息",
    "attribute": "公开使用成果时注明数据来源和获取时间",
}
REJECT_GROUNDS = {
    "purpose": "用途不明确，或与开放条件不符",
    "least_sufficiency": "所需信息项超出用途所必需（最小够用）",
    "capability": "安全保护或处理能力不足",
    "rights": "可能损害商业秘密、个人隐私或其他合法权益",
    "law": "法律、法规、规章另有规定",
    "breach": "申请人此前有违反使用协议的记录",
}


@dataclass(frozen=True)
class Request:
    """What is asked. `volume_a_day` in calls, `term_days` in calendar days.

    `storage` says where and how the data will be kept, `field_reasons` why each sensitive field is
    needed; None in applications from before these were asked for.
    """

    purpose: str = ""
    scenario: str = ""
    fields: tuple[str, ...] = ()
    volume_a_day: int | None = None
    term_days: int | None = None
    capability: str = ""
    undertakings: tuple[str, ...] = ()
    storage: str | None = ""
    field_reasons: Mapping[str, str] | None = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A use report; `public` ({title, kind, url, description}) is the part for everybody, if any."""

    result: str
    incidents: str = ""
    public: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Terms:
    """What is granted, for `term_days` calendar days from the day of approval.

    `per_second` and `quota_term` (calls in the whole term) are None where nothing limits them.
    `masking` is what is masked beyond the catalogue (field -> rule), `row_filters` ({field, op,
    value}) are added to every call.
    """

    fields: tuple[str, ...]
    quota_day: int
    per_minute: int
    term_days: int
    conditions: str = ""
    per_second: int | None = None
    quota_term: int | None = None
    masking: Mapping[str, str] = field(default_factory=dict)
    row_filters: tuple[Mapping[str, str], ...] = ()


def is_sensitive(item: InformationItem) -> bool:
    """Whether an item needs a reason of its own: personal, or given masked only."""
    return item.personal not in ("", "none") or is_masked(item.masking)


def grantable_items(content: EntryContent, offered: Sequence[str]) -> dict[str, InformationItem]:
    """Return the items that may be given through an interface, by field name.

    Open items that the interface offers. Sensitive personal information and items masked by
    `drop` are never given (art. 45), whatever the interface says.
    """
    wanted = frozenset(offered)
    return {
        item.field_name: item
        for item in content.items
        if item.field_name in wanted
        and item.open
        and item.personal != "sensitive"
        and item.masking != "drop"
    }


def request_defects(
    request: Request,
    grantable: Mapping[str, InformationItem],
    *,
    most_days: int = MAX_TERM_DAYS,
) -> list[Defect]:
    """Return everything that keeps an application from being complete, in form order."""
    return [
        *_text("purpose", "用途", request.purpose, PURPOSE_MIN),
        *_text("scenario", "应用场景", request.scenario, SCENARIO_MIN),
        *_fields(request.fields, grantable),
        *_reasons(request, grantable),
        *_number("volume_a_day", "每日调用量", request.volume_a_day, MAX_DAILY_QUOTA),
        *_number("term_days", "使用期限（天）", request.term_days, most_days),
        *_storage(request.storage),
        *_text("capability", "安全保护能力说明", request.capability, CAPABILITY_MIN),
        *_undertakings(request.undertakings),
    ]


def terms_defects(
    terms: Terms,
    wanted: Sequence[str],
    grantable: Mapping[str, InformationItem],
    *,
    most_calls: int = MAX_DAILY_QUOTA,
    most_days: int = MAX_TERM_DAYS,
) -> list[Defect]:
    """Return what is wrong with the terms of a grant; fields only among those asked for."""
    asked = {name: item for name, item in grantable.items() if name in wanted}
    return [
        *_fields(terms.fields, asked),
        *_masking(terms, asked),
        *_number("quota_day", "每日调用上限", terms.quota_day, most_calls),
        *_number("per_minute", "每分钟调用上限", terms.per_minute, MAX_PER_MINUTE),
        *_optional("per_second", "每秒调用上限", terms.per_second, MAX_PER_SECOND),
        *_optional("quota_term", "期限内调用总数上限", terms.quota_term, MAX_TERM_QUOTA),
        *_number("term_days", "使用期限（天）", terms.term_days, most_days),
        *_length("conditions", "附加条件", terms.conditions),
    ]


def report_defects(report: Report) -> list[Defect]:
    """Return what a use report lacks; its public part is checked further by whoever keeps it."""
    defects = [
        *_text("result", "使用情况和成果", report.result, RESULT_MIN),
        *_length("incidents", "安全事件", report.incidents),
    ]
    if report.public is None:
        return defects
    if not 1 <= len(report.public.get("title", "")) <= TITLE_MAX:
        params = {"max": TITLE_MAX}
        defects.append(Defect("title", "missing", "请填写成果名称，最多{max}个字。", params))
    url = report.public.get("url", "")
    if not url.startswith(("https://", "http://")) or len(url) > URL_MAX or not url.isprintable():
        message = "请填写以 https:// 或 http:// 开头的完整网址。"
        defects.append(Defect("url", "url", message))
    defects += _text("description", "成果说明", report.public.get("description", ""), PURPOSE_MIN)
    return defects


def _text(field: str, label: str, value: str, shortest: int) -> Iterator[Defect]:
    if len(value.strip()) < shortest:
        yield Defect(
            field,
            "too_short",
            "请填写“{label}”，至少{min}个字。",
            {"label": label, "min": shortest},
        )
    yield from _length(field, label, value)


def _length(field: str, label: str, value: str) -> Iterator[Defect]:
    if len(value) > TEXT_MAX:
        yield Defect(
            field, "too_long", "“{label}”最多{max}个字。", {"label": label, "max": TEXT_MAX}
        )


def _fields(fields: Sequence[str], allowed: Mapping[str, InformationItem]) -> Iterator[Defect]:
    if not fields:
        yield Defect("fields", "missing", "请至少选择一个信息项。")
    for name in fields:
        if name not in allowed:
            yield Defect(
                "fields", "not_open", "信息项“{name}”不在可提供的范围内。", {"name": name[:64]}
            )


def _reasons(request: Request, allowed: Mapping[str, InformationItem]) -> Iterator[Defect]:
    """Least sufficiency: each sensitive field needs a reason of its own."""
    if request.field_reasons is None:
        return
    for name in dict.fromkeys(request.fields):
        item = allowed.get(name)
        if item is None or not is_sensitive(item):
            continue
        given = request.field_reasons.get(name, "").strip()
        if len(given) < FIELD_REASON_MIN:
            params = {"name": item.name, "min": FIELD_REASON_MIN}
            message = "请说明为什么需要“{name}”，至少{min}个字。"
            yield Defect(f"reason.{name}", "too_short", message, params)
        yield from _length(f"reason.{name}", item.name, given)


def _storage(value: str | None) -> Iterator[Defect]:
    if value is not None:
        yield from _text("storage", "数据存放方式", value, STORAGE_MIN)


def _masking(terms: Terms, asked: Mapping[str, InformationItem]) -> Iterator[Defect]:
    """A grant may mask more than the catalogue does, by a rule that fits the item's type."""
    for name, rule in terms.masking.items():
        item = asked.get(name)
        if item is None or item.data_type not in GRANTABLE.get(rule, ()):
            message = "信息项“{name}”不能用这种脱敏方式。"
            shown = item.name if item else name[:64]
            yield Defect("masking", "not_fitting", message, {"name": shown})


def _number(field: str, label: str, value: int | None, most: int) -> Iterator[Defect]:
    if value is None or not 1 <= value <= most:
        yield Defect(
            field,
            "out_of_range",
            "“{label}”应为1至{max}的整数。",
            {"label": label, "max": f"{most:,}"},
        )


def _optional(field: str, label: str, value: int | None, most: int) -> Iterator[Defect]:
    if value is not None:
        yield from _number(field, label, value, most)


def _undertakings(given: Sequence[str]) -> Iterator[Defect]:
    if not set(UNDERTAKINGS) <= set(given):
        yield Defect("undertakings", "missing", "请逐项确认全部承诺事项。")
