"""What a visitor asks of the catalogue, out of the address of a result page, and back into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from portal.clock import SHANGHAI
from portal.errors import Invalid
from portal.web.facets import read_filters
from portal.web.paging import Pairs
from search.box import SIDES, Box, read_box
from search.request import DateRange, Sort

WORDS_MAX = 200
SORTS = {
    "": (Sort.RELEVANCE, True),
    "value": (Sort.VALUE, True),
    "modified": (Sort.UPDATED, True),
    "created": (Sort.CREATED, True),
    "downloads": (Sort.DOWNLOADS, True),
    "title": (Sort.TITLE, False),
}
_SIDE_NAMES = {"west": "西", "south": "南", "east": "东", "north": "北"}


@dataclass(frozen=True)
class Asked:
    """`since` and `until` are local days, both included; `as_typed` turns corrections off."""

    words: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    box: Box | None = None
    sort: str = ""
    as_typed: bool = False
    explain: bool = False

    @property
    def is_narrowed(self) -> bool:
        return bool(self.filters or self.since or self.until or self.box)

    @property
    def ranges(self) -> tuple[DateRange, ...]:
        if self.since is None and self.until is None:
            return ()
        start = None if self.since is None else _midnight(self.since)
        end = None if self.until is None else _midnight(self.until + timedelta(days=1))
        return (DateRange("updated", start, end),)

    @property
    def pairs(self) -> Pairs:
        """Return the address in one order, so that one result has one address."""
        pairs = [("q", self.words)] if self.words else []
        pairs += [(name, code) for name, codes in self.filters.items() for code in codes]
        pairs += [("since", self.since.isoformat())] if self.since else []
        pairs += [("until", self.until.isoformat())] if self.until else []
        pairs += [("bbox", box_text(self.box))] if self.box else []
        pairs += [("sort", self.sort)] if self.sort else []
        return pairs + ([("as_typed", "1")] if self.as_typed else [])


def read_asked(args: MultiDict[str, str]) -> Asked:
    """Return what an address asks.

    Raises:
        Invalid: an order, a day or an area that is none; the field is named.
    """
    words = "".join(c if c.isprintable() else " " for c in args.get("q", ""))
    since, until = _day(args, "since"), _day(args, "until")
    if since and until and since > until:
        raise Invalid.one("until", "order", "更新时间的止日不能早于起日。")
    return Asked(
        words=words.strip()[:WORDS_MAX],
        filters=read_filters(args),
        since=since,
        until=until,
        box=_box(args),
        sort=_sort(args),
        as_typed=bool(args.get("as_typed", "")),
        explain=bool(args.get("explain", "")),
    )


def box_text(box: Box) -> str:
    return ",".join(f"{getattr(box, side):.6f}".rstrip("0").rstrip(".") for side in SIDES)


def _sort(args: Mapping[str, str]) -> str:
    name = args.get("sort", "")
    if name in ("relevance", ""):
        return ""
    if name not in SORTS:
        raise Invalid.one("sort", "unknown", "没有名为“{value}”的排序方式。", value=name[:20])
    return name


def _day(args: Mapping[str, str], name: str) -> date | None:
    text = args.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1900 <= day.year <= 2200:
        raise Invalid.one(
            name, "not_a_day", "“{value}”不是日期，请写成 2026-11-24 这样。", value=text[:20]
        )
    return day


def _box(args: Mapping[str, str]) -> Box | None:
    text = args.get("bbox", "").strip()
    sides = [args.get(side, "").strip() for side in SIDES]
    if not text and not any(sides):
        return None
    if not text:
        missing = next((s for s, value in zip(SIDES, sides, strict=True) if not value), None)
        if missing:
            raise Invalid.one(
                missing,
                "missing",
                "请填写范围的四条边；缺少“{side}”。",
                side=gettext(_SIDE_NAMES[missing]),
            )
        text = ",".join(sides)
    try:
        return read_box(text[:200])
    except ValueError as error:
        raise Invalid.one(
            "bbox", "not_a_box", "范围须为 西,南,东,北 四个经纬度（度），西不大于东，南不大于北。"
        ) from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
