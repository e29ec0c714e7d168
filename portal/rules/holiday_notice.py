"""Read a holiday notice: a table of days off and make-up working days, as the Bureau types it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from portal.errors import Defect, Invalid

OFF, WORK, PLAIN = "off", "work", "plain"
KINDS = {
    "off": OFF, "放假": OFF, "休": OFF, "休息": OFF, "假": OFF,
    "work": WORK, "上班": WORK, "班": WORK, "调休上班": WORK, "补班": WORK,
    "plain": PLAIN, "平日": PLAIN, "恢复平日": PLAIN,
}  # fmt: skip
COLUMNS = {
    "date": "date", "日期": "date", "start": "date", "开始": "date", "开始日期": "date", "起始日期": "date",
    "until": "until", "end": "until", "结束": "until", "结束日期": "until", "截止日期": "until",
    "kind": "kind", "类型": "kind", "安排": "kind",
    "name": "name", "名称": "name", "节日": "name",
}  # fmt: skip
ORDER = ("date", "until", "kind", "name")
FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
LONGEST_SPAN = 31
ROWS_MAX = 400
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")


@dataclass(frozen=True)
class NoticeDay:
    """A day the notice sets. `kind`: off, work, or plain (an exception is taken back)."""

    date: date
    kind: str
    name: str


@dataclass(frozen=True)
class HolidayNotice:
    """`whole_year`: the State Council's notice for a year; else single days of it."""

    year: int
    days: tuple[NoticeDay, ...]
    source: str
    reason: str = ""
    whole_year: bool = True


def read_days(text: str, year: int, *, whole_year: bool) -> tuple[NoticeDay, ...]:
    """Return the days of a table with the columns date, until, kind and name, in order of date.

    The heading may be left out, then the columns stand in this order; `until` may be empty.

    Raises:
        Invalid: every row that cannot be used, and every holiday that a year's notice lacks.
    """
    rows = [
        (n, cells)
        for n, cells in enumerate(
            csv.reader(io.StringIO(text.replace("，", ",").strip("\ufeff"))), 1
        )
        if any(cell.strip() for cell in cells)
    ]
    if not rows:
        raise Invalid.one("days", "missing", "请填写放假和调休上班的日期。")
    columns = _columns(rows[0][1])
    if columns:
        rows = rows[1:]
    defects: list[Defect] = []
    days: dict[date, NoticeDay] = {}
    for number, cells in rows[:ROWS_MAX]:
        try:
            for day in _row(_by_name(cells, columns or ORDER), year, whole_year=whole_year):
                if day.date in days:
                    raise _wrong("date", "twice", "{day}出现了两次。", day=day.date.isoformat())
                days[day.date] = day
        except Invalid as error:
            defects += [_at(number, defect) for defect in error.defects]
    if whole_year and not defects:
        defects += _missing_holidays(days, year)
    if defects:
        raise Invalid(defects)
    return tuple(days[day] for day in sorted(days))


def _columns(cells: list[str]) -> tuple[str, ...]:
    """Return what each column holds if this row is a heading, else nothing."""
    names = tuple(COLUMNS.get(cell.strip().lower(), "") for cell in cells)
    return names if "date" in names and "kind" in names else ()


def _by_name(cells: list[str], columns: Iterable[str]) -> dict[str, str]:
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name}


def _row(row: Mapping[str, str], year: int, *, whole_year: bool) -> Iterable[NoticeDay]:
    first = _date(row.get("date", ""))
    last = _date(row["until"]) if row.get("until") else first
    kind = KINDS.get(row.get("kind", "").lower())
    if kind is None or (kind == PLAIN and whole_year):
        raise _wrong(
            "kind", "unknown", "类型“{value}”应为“放假”或“调休上班”。", value=row.get("kind", "")
        )
    if last < first or (last - first).days > LONGEST_SPAN:
        raise _wrong("until", "span", "结束日期应在开始日期之后，且不超过31天。")
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        if not _belongs(day, year):
            raise _wrong(
                "date", "other_year", "{day}不属于{year}年。", day=day.isoformat(), year=year
            )
        if kind == WORK and day.weekday() < 5:
            raise _wrong("date", "weekday", "{day}是周一至周五，本来就上班。", day=day.isoformat())
        yield NoticeDay(day, kind, row.get("name", "")[:60])


def _belongs(day: date, year: int) -> bool:
    """A notice may reach a few days into the years beside its own (New Year's weekend)."""
    return date(year, 1, 1) - timedelta(days=7) <= day <= date(year, 12, 31) + timedelta(days=7)


def _date(text: str) -> date:
    found = _DATE.fullmatch(text.strip())
    try:
        if found:
            return date(*(int(part) for part in found.groups()))
    except ValueError:
        pass
    raise _wrong("date", "date_parsing", "“{value}”不是日期，请写成 2027-02-05。", value=text[:30])


def _missing_holidays(days: Mapping[date, NoticeDay], year: int) -> list[Defect]:
    missing = [
        f"{month}月{day}日"
        for month, day in FIXED_HOLIDAYS
        if (found := days.get(date(year, month, day))) is None or found.kind != OFF
    ]
    if not missing:
        return []
    message = "全年安排缺少法定节假日：{days}。只补充个别日期请选择“补充个别日期”。"
    return [Defect("days", "holidays_missing", message, {"days": "、".join(missing)})]


def _wrong(field: str, code: str, message: str, **params: object) -> Invalid:
    return Invalid.one(field, code, message, **params)


def _at(number: int, defect: Defect) -> Defect:
    return Defect(
        "days", defect.code, "第{row}行：" + defect.message, {**defect.params, "row": number}
    )
