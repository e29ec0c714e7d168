"""Each check finds its fault, leaves the sound alone, and the score is the sum of the reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from extensions.quality.rules import (
    ALL_CHECKS,
    CHECKS,
    EntryState,
    FileFacts,
    find_faults,
    score_of,
)
from extensions.quality.similar import title_stem
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo
from tests.factories import content

CODE = Column("站点编码", "stop_code", ColumnType.TEXT, "VARCHAR", max_length=6)
NAME = Column("站点名称", "stop_name", ColumnType.TEXT, "VARCHAR", max_length=10)
FLOW = Column("日客流量", "daily_passengers", ColumnType.INTEGER, "BIGINT")
SOUND_CONTENT = content(contact_phone="0431-80001201", temporal_start=date(2025, 1, 1))


def table(rows: int = 40, columns: tuple[Column, ...] = (CODE, NAME, FLOW)) -> TableInfo:
    return TableInfo("a" * 64, 100, rows, columns)


def file(info: TableInfo | None = None, **changes: Any) -> FileFacts:
    values = {
        "name": "站点", "format": "csv", "size_bytes": 900, "sha256": "b" * 64,
        "table_state": "ready", "table": info or table(), **changes,
    }  # fmt: skip
    return FileFacts(**values)


def state(one: FileFacts | None = None, **changes: Any) -> EntryState:
    return EntryState(SOUND_CONTENT, (one or file(),), **changes)


LONG = Column("内容", "stop_name", ColumnType.TEXT, "VARCHAR", max_length=900)
FAULTY: dict[str, EntryState] = {
    "broken_file": state(file(table=None, table_state="failed", table_error="不是表格")),
    "overdue": state(overdue_working_days=12),
    "missing_rate": state(file(table(40, (CODE, replace(NAME, blank_count=38), FLOW)))),
    "duplicate_data": state(twins=("另一个",)),
    "fragmented": state(fragments=("2024年站点", "2023年站点")),
    "few_rows": state(file(table(3))),
    "pasted_document": state(file(table(6, (LONG,)))),
    "duplicate_rows": state(file(duplicate_rows=4)),
    "missing_metadata": EntryState(replace(SOUND_CONTENT, keywords=()), (file(),)),
    "unexplained_columns": state(file(table(40, (CODE, replace(NAME, name="甲", field_name="x"))))),
    "wrong_types": state(file(table(40, (CODE, NAME, replace(FLOW, type=ColumnType.TEXT))))),
}


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda check: check.code)
def test_a_check_finds_its_fault_and_nothing_in_the_sound(check: Any) -> None:
    found = check(FAULTY[check.code])
    assert found is not None
    assert 0 < found.points <= check.most
    assert found.text.endswith("。")
    assert check(state()) is None
    assert check.explanation
    assert check.mend


def test_the_weights_add_up_to_the_whole_score() -> None:
    assert sum(check.most for check in ALL_CHECKS) == 100
    assert set(CHECKS) == set(FAULTY)


def test_the_score_is_what_the_reasons_leave() -> None:
    assert score_of(find_faults(state())) == 100
    faults = find_faults(replace(FAULTY["few_rows"], overdue_working_days=400, twins=("甲",)))
    assert [fault.check for fault in faults] == ["overdue", "duplicate_data", "few_rows"]
    assert score_of(faults) == 100 - sum(fault.points for fault in faults) == 67


@pytest.mark.parametrize(
    ("rows", "blank", "points"),
    [(100, 0, 0), (100, 30, 0), (100, 60, 2.4), (100, 99, 5.5)],
)
def test_the_missing_rate_grows_with_the_blanks(rows: int, blank: int, points: float) -> None:
    given = state(file(table(rows, (CODE, NAME, replace(FLOW, blank_count=blank)))))
    found = CHECKS["missing_rate"](given)
    assert (found.points if found else 0) == points


def test_a_total_of_four_rows_and_a_long_table_of_long_texts_are_data() -> None:
    assert CHECKS["few_rows"](state(file(table(4)))) is None
    assert CHECKS["pasted_document"](state(file(table(400, (CODE, LONG))))) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024年长春市公交站点", "吉林市公交站点（2025年）"),
        ("白山市2025年1月公交站点", "全省公交站点"),
        ("2023—2024年度公交站点", "公交站点"),
    ],
)
def test_titles_that_differ_in_year_or_place_have_one_stem(one: str, other: str) -> None:
    assert title_stem(one) == title_stem(other)
    assert title_stem(one) != title_stem("公交线路")
