"""The other faces of a table preview: grouped with a chart, on a map, and a profile of its columns.

Parameters beside those of `preview`: `view` (table, chart, map, profile), `group` (column), `unit`
(of dates and region codes), `fn` (count, sum, …), `of` (column of numbers), `chart` (bar, line, pie).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from portal.codes import code_list
from portal.rules.entry_content import EntryContent
from portal.services.column_match import match_columns
from portal.services.open_columns import NOT_MASKED
from portal.tables.cache import TableCache
from portal.tables.column_types import ColumnType
from portal.tables.coordinates import SYSTEMS
from portal.tables.groups import (
    CITY,
    FUNCTIONS,
    MOMENTS,
    NUMBERS,
    UNITS,
    GroupQuery,
    Groups,
    is_period,
)
from portal.tables.info import Column, TableInfo
from portal.tables.places import REGIONS, Places, find_places
from portal.tables.profile import ColumnProfile, read_profile
from portal.tables.query import TableQuery

TABLE, CHART, MAP, PROFILE = VIEWS = ("table", "chart", "map", "profile")
CHARTS = ("bar", "line", "pie")
MOST_SLICES = 12
SHOWN_GROUPS = 50
KEYS = ("view", "group", "unit", "fn", "of", "chart")
CODE_NAMES = ("代码", "编码", "编号")  # how the names of columns with codes end
FUNCTION_NAMES = {"count": "行数", "sum": "合计", "mean": "平均", "min": "最小", "max": "最大"}


@dataclass(frozen=True)
class ViewAsked:
    """What an address asks of these views: texts as they came, unknown words left out."""

    view: str = TABLE
    group: str = ""
    unit: str = ""
    function: str = "count"
    of: str = ""
    chart: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        given = (
            ("view", self.view if self.view != TABLE else ""),
            ("group", self.group),
            ("unit", self.unit),
            ("fn", self.function if self.function != "count" else ""),
            ("of", self.of),
            ("chart", self.chart),
        )
        return [(name, value) for name, value in given if value]


@dataclass(frozen=True)
class GroupView:
    """Groups as a table and a chart. `choices` are what the form offers."""

    asked: ViewAsked
    by: Column
    of: Column | None
    groups: Groups
    rows: tuple[tuple[str, str, int], ...]  # label, value as text, rows
    heading: str
    chart: str


@dataclass(frozen=True)
class MapView:
    places: Places
    system: str  # a key of SYSTEMS, "" where nothing says it
    system_name: str
    groups: GroupView | None  # of region codes


@dataclass(frozen=True)
class ProfileRow:
    column: Column
    profile: ColumnProfile | None
    blank_percent: float
    most: int  # rows of the highest bar


def read_view(args: Mapping[str, str]) -> ViewAsked:
    def one_of(name: str, known: Sequence[str], default: str = "") -> str:
        value = args.get(name, "").strip()
        return value if value in known else default

    return ViewAsked(
        view=one_of("view", VIEWS, TABLE),
        group=args.get("group", "").strip()[:64],
        unit=one_of("unit", (*UNITS, CITY)),
        function=one_of("fn", FUNCTIONS, "count"),
        of=args.get("of", "").strip()[:64],
        chart=one_of("chart", CHARTS),
    )


def view_groups(
    tables: TableCache, info: TableInfo, query: TableQuery, asked: ViewAsked
) -> GroupView:
    """Return the groups that an address asks for; without a column, those of a likely one.

    Raises: as `TableCache.groups`.
    """
    grouping = group_query(info, asked)
    groups = tables.groups(info, query, grouping)
    by = info.column(grouping.by)
    of = info.column(grouping.of) if grouping.function != "count" else None
    places = find_places(info)
    is_region = grouping.unit == CITY and places is not None and places.kind == REGIONS
    rows = tuple(
        (_label(one.label, is_region=is_region), value_text(one.value), one.rows)
        for one in groups.groups
    )
    chart = asked.chart or _fitting_chart(by, rows)
    return GroupView(asked, by, of, groups, rows, _heading(by, of, grouping.function), chart)


def group_query(info: TableInfo, asked: ViewAsked) -> GroupQuery:
    by = asked.group or likely_group(info)
    kind = next((c.type for c in info.columns if c.field_name == by), ColumnType.TEXT)
    unit = asked.unit if (asked.unit in UNITS) == (kind in MOMENTS) else ""
    of = asked.of if asked.function != "count" else ""
    if asked.function != "count" and not of:
        of = next((c.field_name for c in info.columns if c.type in NUMBERS), "")
    return GroupQuery(by, asked.function, of, unit)


def likely_group(info: TableInfo) -> str:
    """Return the text column with few values, else a date, else the first column.

    A name is chosen before a code beside it: 长春市 says more on an axis than 220100.
    """
    texts = [
        c
        for c in info.columns
        if c.type is ColumnType.TEXT and 1 < c.distinct_count <= SHOWN_GROUPS
    ]
    named = [c for c in texts if not c.name.endswith(CODE_NAMES)]
    dates = [c for c in info.columns if c.type in MOMENTS]
    return (named or texts or dates or list(info.columns))[0].field_name


def view_map(
    tables: TableCache, info: TableInfo, query: TableQuery, asked: ViewAsked
) -> MapView | None:
    """Return how the rows go on a map; None where the table says no place."""
    places = find_places(info)
    if places is None:
        return None
    groups = None
    if places.kind == REGIONS:
        by_city = ViewAsked(
            MAP, places.columns[0].field_name, CITY, asked.function, asked.of, asked.chart
        )
        groups = view_groups(tables, info, query, by_city)
    return MapView(places, info.coordinates, SYSTEMS.get(info.coordinates, ""), groups)


def view_profile(
    tables: TableCache, info: TableInfo, kept: Callable[[], Mapping[str, Any] | None]
) -> list[ProfileRow]:
    """Return the profile of each column: the one made when the table was parsed, or a new one."""
    profiles = read_profile(kept(), info)
    if profiles is None:
        profiles = tables.profile(info)
    by_name = {one.field_name: one for one in profiles}
    return [_profile_row(c, by_name.get(c.field_name), info.row_count) for c in info.columns]


def _profile_row(column: Column, profile: ColumnProfile | None, rows: int) -> ProfileRow:
    shares = (*profile.bins, *profile.top) if profile else ()
    most = max((share.count for share in shares), default=0)
    return ProfileRow(column, profile, round(100 * column.blank_count / max(rows, 1), 1), most)


def value_text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,f}".rstrip("0").rstrip(".")


def _label(label: str | None, *, is_region: bool) -> str:
    if label is None:
        return gettext("（空白）")
    if is_region:
        found = code_list("regions").find(label)
        return found.name if found else label
    return label


def _fitting_chart(by: Column, rows: Sequence[tuple[str, str, int]]) -> str:
    return "line" if (by.type in MOMENTS or is_period(by)) and len(rows) > 2 else "bar"


def _heading(by: Column, of: Column | None, function: str) -> str:
    name = gettext(FUNCTION_NAMES[function])
    what = gettext("%(column)s的%(name)s", column=of.name, name=name) if of else name
    return gettext("按%(group)s统计%(what)s", group=by.name, what=what)


def differences_shown(content: EntryContent, info: TableInfo | None) -> list[tuple[str, str]]:
    """Return (name, words) of what differs between the open items and the columns of the file."""
    if info is None:
        return []
    items = [item for item in content.items if item.open and item.masking in NOT_MASKED]
    found = []
    for match in match_columns(items, info):
        name = match.item.name if match.item else match.column.name if match.column else ""
        for one in match.differences:
            found.append((name, gettext(one.message).format(**one.params)))
    return found if items else []
