"""What texts of the public must be. Pure: no database, no HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rapidfuzz import fuzz

from portal.errors import Defect
from portal.rules.metadata_profile import CLOSED_GROUNDS

NOBODY_HOLDS = "nobody_holds"
NO_GROUNDS = {**CLOSED_GROUNDS, NOBODY_HOLDS: "没有单位采集或持有"}
"""Why a demand is declined: the grounds of non-open data (art. 28), or there is no such data."""

REUSE_KINDS = {
    "app": "应用程序",
    "website": "网站服务",
    "analysis": "分析报告",
    "research": "科研成果",
    "news": "新闻报道",
    "other": "其他",
}
REUSE_ICONS = {
    "app": "zap",
    "website": "globe",
    "analysis": "chart-column",
    "research": "flask-conical",
    "news": "file-text",
    "other": "lightbulb",
}
STARS = (1, 2, 3, 4, 5)
TITLE_MAX, TEXT_MAX, URL_MAX, MAKER_MAX = 100, 2000, 500, 100
TITLE_MIN, TEXT_MIN, COMMENT_MIN = 4, 10, 2
SOURCES_MAX = 20
SIMILAR_AT = 62.0
"""Least likeness (0 to 100) at which a title counts as similar."""

A_DAY = {"demand": 5, "vote": 60, "reuse": 5, "comment": 20, "rating": 60}
"""How often an account may do each within a day."""


@dataclass(frozen=True)
class DemandText:
    """What a filer typed. `theme` is a code of themes.csv, or empty."""

    title: str = ""
    purpose: str = ""
    wanted: str = ""
    theme: str = ""


@dataclass(frozen=True)
class ReuseText:
    title: str = ""
    kind: str = ""
    url: str = ""
    maker: str = ""
    description: str = ""


def demand_defects(text: DemandText, themes: Iterable[str]) -> list[Defect]:
    """Return everything wrong with a demand, at once."""
    defects = [
        *_length("title", "需要什么数据", text.title, TITLE_MIN, TITLE_MAX),
        *_length("purpose", "用来做什么", text.purpose, TEXT_MIN, TEXT_MAX),
        *_length("wanted", "需要哪些信息项", text.wanted, COMMENT_MIN, TEXT_MAX),
    ]
    if text.theme and text.theme not in set(themes):
        defects.append(Defect("theme", "unknown", "请从列表中选择主题。"))
    return defects


def reuse_defects(text: ReuseText) -> list[Defect]:
    """Return everything wrong with an item of the gallery, at once."""
    defects = [
        *_length("title", "名称", text.title, TITLE_MIN, TITLE_MAX),
        *_length("description", "说明", text.description, TEXT_MIN, TEXT_MAX),
    ]
    if len(text.maker) > MAKER_MAX:
        defects += _length("maker", "制作单位或个人", text.maker, 0, MAKER_MAX)
    if text.kind not in REUSE_KINDS:
        defects.append(Defect("kind", "unknown", "请选择成果类型。"))
    if not is_web_address(text.url):
        defects.append(
            Defect("url", "url", "请填写以 https:// 或 http:// 开头的完整网址，不超过500个字。")
        )
    return defects


def comment_defects(text: str) -> list[Defect]:
    return list(_length("text", "内容", text, COMMENT_MIN, TEXT_MAX))


def is_web_address(url: str) -> bool:
    """True for an http(s) address of a host, without a user's name or hidden characters."""
    if not url.isprintable() or " " in url or "\\" in url or len(url) > URL_MAX:
        return False
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    has_user = "@" in parts.netloc
    return parts.scheme in ("http", "https") and bool(host) and "." in (host or "") and not has_user


def similar_titles(title: str, known: Iterable[tuple[int, str]], limit: int = 5) -> list[int]:
    """Return the ids of the known titles most like `title`, the most similar first."""
    scored = [(fuzz.WRatio(title, other), key) for key, other in known]
    best = sorted((pair for pair in scored if pair[0] >= SIMILAR_AT), key=lambda p: (-p[0], p[1]))
    return [key for _score, key in best[:limit]]


def _length(field: str, label: str, text: str, least: int, most: int) -> Sequence[Defect]:
    params = {"label": label, "least": least, "most": most}
    if least and not text.strip():
        return [Defect(field, "missing", "请填写“{label}”。", params)]
    if len(text.strip()) < least:
        return [Defect(field, "too_short", "“{label}”至少{least}个字。", params)]
    if len(text) > most:
        return [Defect(field, "too_long", "“{label}”不能超过{most}个字。", params)]
    return []
