"""A holiday notice as it is typed."""

from __future__ import annotations

from datetime import date

import pytest

from portal.errors import Invalid
from portal.rules.holiday_notice import OFF, WORK, NoticeDay, read_days

YEAR = """起始日期,结束日期,类型,名称
2027-01-01,2027-01-03,放假,元旦
2027年2月5日,2027年2月11日,放假,春节
2027/2/20,,调休上班,春节
2027-05-01,2027-05-05,放假,劳动节
2027-10-01,2027-10-07,放假,国庆节
"""


def test_spans_become_days_in_order() -> None:
    days = read_days(YEAR, 2027, whole_year=True)
    assert days[0] == NoticeDay(date(2027, 1, 1), OFF, "元旦")
    assert NoticeDay(date(2027, 2, 20), WORK, "春节") in days
    assert len(days) == 3 + 7 + 1 + 5 + 7


def test_the_heading_may_be_left_out() -> None:
    days = read_days("2026-12-07,,放假,暴雪", 2026, whole_year=False)
    assert days == (NoticeDay(date(2026, 12, 7), OFF, "暴雪"),)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("2027-02-30,,放假,春节", "date_parsing"),
        ("2027-02-22,,调休上班,春节", "weekday"),
        ("2027-02-05,2027-02-01,放假,春节", "span"),
        ("2029-02-05,,放假,春节", "other_year"),
        ("2027-02-05,,午休,春节", "unknown"),
        ("2027-01-01,,放假,元旦", "twice"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(row: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_days(YEAR + row, 2027, whole_year=True)
    assert [(d.code, d.params["row"]) for d in refused.value.defects] == [(code, 7)]


def test_a_year_without_its_fixed_holidays_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        read_days("2027-01-01,,放假,元旦", 2027, whole_year=True)
    assert refused.value.defects[0].code == "holidays_missing"
    assert "10月1日" in refused.value.defects[0].text()
