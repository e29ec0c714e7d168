"""What a catalogue entry must say: the rules of the metadata profiles.

`jl-1` is the whole rule set for entries made here; `foreign-1` asks harvested and imported
records for a title alone. Source: domain/catalogue-fields.md; Measures, arts. 15 to 29.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from portal.errors import Defect
from portal.rules.entry_content import EntryContent, InformationItem, LegalBasis

JL_1 = "jl-1"
FOREIGN_1 = "foreign-1"
CONDITION_GROUNDS = {
    "capability": "数据安全和处理能力要求较高",
    "time_critical": "时效性较强",
    "continuous": "需要持续获取",
}
CLOSED_GROUNDS = {
    "trade_secret": "涉及商业秘密",
    "privacy": "涉及个人隐私",
    "law": "法律、法规规定不得开放",
}
BASIS_KINDS = {
    "law": "法律",
    "regulation": "法规",
    "rule": "规章",
    "other": "其他",
    "consent": "被采集人同意",
}
BINDING_KINDS = frozenset({"law", "regulation", "rule"})
SHARE_MODES = {"interface": "接口", "database": "库表", "file": "文件", "media": "介质"}
POOLING_STATES = {"not_pooled": "未归集", "partly": "部分归集", "pooled": "已归集"}
PERSONAL_KINDS = {"none": "否", "personal": "个人信息", "sensitive": "敏感个人信息"}
MASKINGS = {
    "": "无",
    "none": "无",
    "mask_id": "证件号遮盖",
    "mask_phone": "电话遮盖",
    "mask_name": "姓名遮盖",
    "generalise_date": "日期概化",
    "drop": "不提供",
}
RESOURCE_CLASSES = {"1": "基础信息资源", "2": "主题信息资源", "3": "部门信息资源"}
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
STRICTNESS = {"unconditional": 0, "authorised": 1, "none": 2}
TITLE_MAX, ABSTRACT_MIN, ABSTRACT_MAX, KEYWORDS_MAX, KEYWORD_MAX = 200, 20, 2000, 20, 30


@dataclass(frozen=True)
class KnownCodes:
    """The codes that the rules check against, handed in so that the rules stay pure."""

    themes: frozenset[str]
    regions: frozenset[str]
    formats: frozenset[str]
    share_types: frozenset[str]
    open_types: frozenset[str]
    security_levels: Mapping[str, bool]  # level -> may be open
    acquisition_methods: Mapping[str, bool]  # method -> may stand on the own open list
    update_frequencies: frozenset[str]
    licences: frozenset[str]
    data_types: Mapping[str, bool]  # type -> length required
    base_libraries: frozenset[str]


def defects(content: EntryContent, profile: str, codes: KnownCodes) -> list[Defect]:
    """Return everything that the profile finds wrong, in the order of the form."""
    if profile == FOREIGN_1:
        return list(_title(content))
    rules: tuple[Callable[[EntryContent, KnownCodes], Iterator[Defect]], ...] = (
        lambda c, k: _title(c),
        _description,
        _classification,
        _codes_known,
        _items,
        _sharing,
        _opening,
        _collection,
        _others,
    )
    return [defect for rule in rules for defect in rule(content, codes)]


def _missing(field: str, label: str) -> Defect:
    return Defect(field, "missing", "请填写“{label}”。", {"label": label})


def _title(c: EntryContent) -> Iterator[Defect]:
    if not c.title.strip():
        yield _missing("title", "信息资源名称")
    elif len(c.title) > TITLE_MAX:
        yield Defect("title", "too_long", "信息资源名称不能超过{max}个字。", {"max": TITLE_MAX})


def _description(c: EntryContent, _: KnownCodes) -> Iterator[Defect]:
    length = len(c.abstract.strip())
    if not ABSTRACT_MIN <= length <= ABSTRACT_MAX:
        yield Defect(
            "abstract",
            "length",
            "摘要应为{min}至{max}个字，现为{length}个字。请说明数据内容、用途和范围。",
            {"min": ABSTRACT_MIN, "max": ABSTRACT_MAX, "length": length},
        )
    if len(c.keywords) > KEYWORDS_MAX:
        yield Defect("keywords", "too_many", "关键词最多{max}个。", {"max": KEYWORDS_MAX})
    for word in c.keywords:
        if not 1 <= len(word) <= KEYWORD_MAX:
            yield Defect(
                "keywords",
                "length",
                "关键词“{word}”应为1至{max}个字。",
                {"word": word, "max": KEYWORD_MAX},
            )


def _classification(c: EntryContent, k: KnownCodes) -> Iterator[Defect]:
    if c.resource_class not in RESOURCE_CLASSES:
        yield _missing("resource_class", "分类")
    if c.resource_class == "1" and c.base_library not in k.base_libraries:
        yield Defect("base_library", "missing", "基础信息资源须选择所属基础资源库（第21条）。")
    if len(c.more_themes) > 3 or c.theme in c.more_themes:
        yield Defect("more_themes", "invalid", "其他主题最多3个，且不能与所属主题相同。")


def _codes_known(c: EntryContent, k: KnownCodes) -> Iterator[Defect]:
    single: tuple[tuple[str, str, str, frozenset[str]], ...] = (
        ("theme", "所属主题", c.theme, k.themes),
        ("region", "所属地区", c.region, k.regions),
        ("share_type", "共享类型", c.share_type, k.share_types),
        ("open_type", "开放类型", c.open_type, k.open_types),
        ("security_level", "安全级别", c.security_level, frozenset(k.security_levels)),
        ("acquisition_method", "采集方式", c.acquisition_method, frozenset(k.acquisition_methods)),
        ("update_frequency", "更新周期", c.update_frequency, k.update_frequencies),
    )
    for field, label, value, known in single:
        if not value:
            yield _missing(field, label)
        elif value not in known:
            yield _unknown(field, label, value)
    for theme in c.more_themes:
        if theme not in k.themes:
            yield _unknown("more_themes", "其他主题", theme)
    if not c.format:
        yield _missing("format", "信息资源格式")
    for value in c.format:
        if value not in k.formats:
            yield _unknown("format", "信息资源格式", value)


def _unknown(field: str, label: str, value: str) -> Defect:
    return Defect(
        field,
        "unknown_code",
        "“{label}”的值“{value}”不在代码表中。",
        {"label": label, "value": value},
    )


def _items(c: EntryContent, k: KnownCodes) -> Iterator[Defect]:
    if not c.items:
        yield Defect("items", "missing", "请至少填写一个信息项。")
    for attribute, label in (("name", "信息项名称"), ("field_name", "字段名")):
        counts = Counter(getattr(item, attribute) for item in c.items)
        for value, count in counts.items():
            if count > 1 and value:
                yield Defect(
                    "items", "duplicate", "{label}“{value}”重复。", {"label": label, "value": value}
                )
    for place, item in enumerate(c.items):
        yield from _item(f"items.{place}", item, c, k)


def _item(at: str, item: InformationItem, c: EntryContent, k: KnownCodes) -> Iterator[Defect]:
    name = item.name or f"第{item.order}项"
    if not 1 <= len(item.name) <= 100:
        yield Defect(
            f"{at}.name", "length", "第{order}个信息项的名称应为1至100个字。", {"order": item.order}
        )
    if not FIELD_NAME.fullmatch(item.field_name):
        yield Defect(
            f"{at}.field_name",
            "pattern",
            "信息项“{name}”的字段名应以小写字母开头，只含小写字母、数字和下划线。",
            {"name": name},
        )
    if item.data_type not in k.data_types:
        yield _unknown(f"{at}.data_type", f"信息项“{name}”的数据类型", item.data_type)
    elif k.data_types[item.data_type] and not (item.length and item.length > 0):
        yield Defect(f"{at}.length", "missing", "信息项“{name}”须填写数据长度。", {"name": name})
    if item.precision is not None and item.precision > (item.length or 0):
        yield Defect(
            f"{at}.precision", "invalid", "信息项“{name}”的小数位不能大于长度。", {"name": name}
        )
    if (
        item.personal == "sensitive"
        and item.open
        and item.masking != "drop"
        and c.open_type != "none"
    ):
        yield Defect(
            f"{at}.open",
            "sensitive_open",
            "信息项“{name}”是敏感个人信息，不能开放；请改为不开放。",
            {"name": name},
        )
    if item.share_type and STRICTNESS.get(item.share_type, -1) < STRICTNESS.get(c.share_type, 0):
        yield Defect(
            f"{at}.share_type",
            "looser",
            "信息项“{name}”的共享类型不能比整个资源更宽。",
            {"name": name},
        )


def _sharing(c: EntryContent, _: KnownCodes) -> Iterator[Defect]:
    if not c.share_mode:
        yield _missing("share_mode", "共享方式")
    for mode in c.share_mode:
        if mode not in SHARE_MODES:
            yield _unknown("share_mode", "共享方式", mode)
    if c.share_type in ("authorised", "none"):
        if not c.share_condition.strip():
            yield Defect(
                "share_condition", "missing", "授权共享须写明共享条件，非共享须写明理由（第25条）。"
            )
        if not any(_is_binding(basis) for basis in c.share_basis):
            yield Defect(
                "share_basis",
                "missing",
                "授权共享和非共享须有法律、法规或规章依据（第25条），请写明名称和条款。",
            )


def _opening(c: EntryContent, k: KnownCodes) -> Iterator[Defect]:
    if c.open_type == "conditional":
        if not c.open_condition.strip():
            yield Defect("open_condition", "missing", "有条件开放须写明开放条件（第28条）。")
        if not c.open_condition_ground:
            yield Defect(
                "open_condition_ground", "missing", "有条件开放须选择至少一种情形（第28条）。"
            )
    if c.open_type == "none":
        yield from _closed(c)
    for ground in c.open_condition_ground:
        if ground not in CONDITION_GROUNDS:
            yield _unknown("open_condition_ground", "有条件开放情形", ground)
    if c.open_type in ("unconditional", "conditional"):
        if not k.security_levels.get(c.security_level, True):
            yield Defect(
                "open_type",
                "level",
                "安全级别为{level}级的数据不能开放，开放类型应为“非开放”。",
                {"level": c.security_level},
            )
        if c.items and not any(item.open for item in c.items):
            yield Defect("items", "none_open", "开放的数据至少有一个信息项可以开放。")
        if not c.licence:
            yield _missing("licence", "开放许可")
        elif c.licence not in k.licences:
            yield _unknown("licence", "开放许可", c.licence)


def _closed(c: EntryContent) -> Iterator[Defect]:
    if not c.closed_ground:
        yield Defect(
            "closed_ground",
            "missing",
            "非开放须说明情形：商业秘密、个人隐私或法律法规规定（第28条）。",
        )
    for ground in c.closed_ground:
        if ground not in CLOSED_GROUNDS:
            yield _unknown("closed_ground", "非开放情形", ground)
    if "law" in c.closed_ground and not any(_is_binding(basis) for basis in c.closed_basis):
        yield Defect(
            "closed_basis", "missing", "以法律、法规规定为由不开放的，须写明依据名称和条款。"
        )


def _is_binding(basis: LegalBasis) -> bool:
    return basis.kind in BINDING_KINDS and bool(basis.title.strip()) and bool(basis.article.strip())


def _collection(c: EntryContent, _: KnownCodes) -> Iterator[Defect]:
    if not c.collection_basis:
        yield Defect(
            "collection_basis", "missing", "请填写采集依据：法律条款，或被采集人同意（第18条）。"
        )
    for place, basis in enumerate(c.collection_basis):
        if basis.kind not in BASIS_KINDS:
            yield _unknown(f"collection_basis.{place}.kind", "依据种类", basis.kind)
        elif basis.kind != "consent" and not basis.title.strip():
            yield _missing(f"collection_basis.{place}.title", "采集依据名称")


def _others(c: EntryContent, _: KnownCodes) -> Iterator[Defect]:
    if c.temporal_start and c.temporal_end and c.temporal_start > c.temporal_end:
        yield Defect("temporal_end", "order", "数据止日不能早于起日。")
    if not c.contact_name.strip():
        yield _missing("contact_name", "联系单位")
    if c.contact_email and not EMAIL.fullmatch(c.contact_email):
        yield Defect("contact_email", "pattern", "联系邮箱的格式不对。")
    if c.pooling_state not in POOLING_STATES:
        yield _unknown("pooling_state", "归集状态", c.pooling_state)
