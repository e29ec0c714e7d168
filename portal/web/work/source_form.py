"""The form of a harvest source: what it asks, and what was typed into it. Keys are never shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask_babel import gettext

from portal.errors import Defect, Invalid
from portal.models.harvest import LINK, MIRROR, HarvestSource
from portal.models.organisation import Organisation, find_organisation
from portal.services.source_secrets import is_secret
from portal.web.context import session
from portal.web.translated import translated
from portal.web.work.decisions import form_text

KINDS = {
    "ckan": "CKAN 门户（Action API）",
    "datajson": "data.json（Project Open Data）",
    "dcat": "DCAT 目录（Turtle、RDF/XML、JSON-LD）",
    "open_list": "开放清单表格（XLSX、XLS、CSV）",
}
SCHEDULES = {
    "": "不定时，由人工启动",
    "30 2 * * *": "每天 2:30",
    "30 3 * * 1": "每周一 3:30",
    "30 4 1 * *": "每月 1 日 4:30",
}
FILES = {
    LINK: "只登记链接，每周检查能否打开",
    MIRROR: "把文件保存到本平台，每周检查是否更新",
}
CKAN = "ckan"


@dataclass(frozen=True)
class SourceInput:
    """What the form says. `values` are those of `SourceService.add`."""

    organisation: Organisation
    values: Mapping[str, Any]
    options: Mapping[str, Any]
    forget: frozenset[str] = field(default_factory=frozenset)


def kind_choices() -> list[tuple[str, str]]:
    """Return every kind that is installed, ours first."""
    from harvesters.kinds import kind_names  # with their libraries: only when needed

    words = translated(KINDS)
    known = [(kind, words[kind]) for kind in KINDS]
    return known + [(kind, kind) for kind in kind_names() if kind not in KINDS]


def shown_options(source: HarvestSource | None) -> str:
    """Return the options that are no keys, one a line, as the form takes them."""
    if source is None:
        return ""
    return "\n".join(f"{key}={_text(value)}" for key, value in sorted(source.options.items()))


def read_form(source: HarvestSource | None) -> SourceInput:
    """Return what was typed. Raises Invalid."""
    found: list[Defect] = []
    code = request.form.get("organisation", "")
    organisation = find_organisation(session(), code) if code else None
    if organisation is None:
        found.append(Defect("organisation", "missing", "请选择数据的提供单位。"))
    kind = form_text("kind", longest=40)
    options = _options(form_text("options", longest=4000), found)
    forget = frozenset(source.options) - options.keys() if source else frozenset[str]()
    secret, forgotten = _secret(kind, source)
    if found or organisation is None:
        raise Invalid(found)
    schedule = form_text("schedule_own", longest=100) or form_text("schedule", longest=100)
    values = {
        "name": form_text("name", longest=1000),
        "kind": kind,
        "url": form_text("url", longest=2000),
        "trusted": request.form.get("trusted") == "yes",
        "schedule": " ".join(schedule.split()),
        "keep_files": form_text("keep_files", longest=10) or LINK,
    }
    return SourceInput(organisation, values, {**options, **secret}, forget | forgotten)


def _secret(kind: str, source: HarvestSource | None) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the key as an option of the kind, and the options to drop."""
    given = form_text("secret", longest=4000)
    both = frozenset({"apikey", "headers"})
    if given:
        option = {"apikey": given} if kind == CKAN else {"headers": {"Authorization": given}}
        return option, both - option.keys()
    if request.form.get("forget_secret") == "yes" or (source and source.kind != kind):
        return {}, both
    return {}, frozenset()


def _options(text: str, found: list[Defect]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for number, line in enumerate(filter(str.strip, text.split("\n")), 1):
        key, equals, value = line.strip().partition("=")
        if not equals or not key.strip():
            message = gettext("第%(n)s行应写成“参数=值”。", n=number)
            found.append(Defect("options", "pattern", message))
        elif is_secret(key):
            message = gettext("“%(key)s”像是密钥，请填写在“访问密钥”里。", key=key.strip())
            found.append(Defect("options", "secret", message))
        else:
            options[key.strip()] = _value(value.strip())
    return options


def _value(text: str) -> Any:
    """A number, true, false or JSON is taken as such, anything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
