"""Groups for charts, and the profile of each column."""

from __future__ import annotations

import pytest

from portal.errors import Invalid
from portal.tables.groups import GroupQuery
from portal.tables.profile import make_profile, read_profile
from portal.tables.query import Filter, TableQuery

TEXT = """城市,区划代码,日期,金额
长春,220102,2024-01-05,10.5
长春,220103,2024-02-01,20
吉林,220202,2024-02-09,
,220183,2024-03-01,1
长春,220102,2025-01-05,0.5
"""


@pytest.fixture
def info(build):
    return build(TEXT)


def labels(groups):
    return [(one.label, one.value, one.rows) for one in groups.groups]


def test_rows_are_counted_largest_first_blanks_too(cache, info):
    found = cache.groups(info, TableQuery(), GroupQuery("cheng_shi"))
    assert labels(found) == [("长春", 3, 3), (None, 1, 1), ("吉林", 1, 1)] or labels(found) == [
        ("长春", 3, 3), ("吉林", 1, 1), (None, 1, 1),
    ]  # fmt: skip
    assert found.total == 3


@pytest.mark.parametrize(
    ("function", "expected"),
    [("sum", "31"), ("mean", "10.33333333"), ("min", "0.5"), ("max", "20")],
)
def test_numbers_are_aggregated_over_filtered_rows(cache, info, function, expected):
    query = TableQuery(filters=[Filter("cheng_shi", "eq", "长春")])
    found = cache.groups(info, query, GroupQuery("cheng_shi", function, "jin_e"))
    ((_, value, rows),) = labels(found)
    assert (str(value), rows) == (expected, 3)


def test_dates_are_grouped_by_a_fitting_unit_in_order(cache, info):
    months = cache.groups(info, TableQuery(), GroupQuery("ri_qi"))
    assert (months.unit, [label for label, _, _ in labels(months)]) == (
        "month", ["2024-01", "2024-02", "2024-03", "2025-01"],
    )  # fmt: skip
    years = cache.groups(info, TableQuery(), GroupQuery("ri_qi", unit="year"))
    assert labels(years) == [("2024", 4, 4), ("2025", 1, 1)]


@pytest.mark.parametrize(
    "periods", [["2025-Q1", "2025-Q2"], ["2024年", "2025年"], ["2025-09", "2025-10"]]
)
def test_periods_written_as_text_keep_their_order(cache, build, periods):
    first, second = periods
    info = build(f"时期,数\n{first},1\n{second},9\n{second},9\n", filename="p.csv")
    found = cache.groups(info, TableQuery(), GroupQuery("shi_qi"))
    assert [label for label, _, _ in labels(found)] == periods


def test_region_codes_fall_into_their_city(cache, info):
    found = cache.groups(info, TableQuery(), GroupQuery("qu_hua_dai_ma", unit="city"))
    assert labels(found) == [("220100", 4, 4), ("220200", 1, 1)]


def test_every_defect_of_a_grouping_is_named(cache, info):
    with pytest.raises(Invalid) as caught:
        cache.groups(info, TableQuery(), GroupQuery("nowhere", "sum", "cheng_shi", "week"))
    assert [defect.field for defect in caught.value.defects] == ["group", "of", "unit"]


def test_a_profile_has_bins_and_frequent_values(storage, info):
    kept = make_profile(storage.local_path(info.parquet_sha256), info)
    city, code, day, amount = read_profile(kept, info)
    assert (city.top[0].low, city.top[0].count) == ("长春", 3)
    assert code.top[0].count == 2
    assert sum(share.count for share in day.bins) == 5
    assert (day.bins[0].low, day.bins[-1].high) == ("2024-01-05", "2025-01-05")
    assert sum(share.count for share in amount.bins) == 4
    assert amount.mean == "8"


def test_few_whole_numbers_are_a_bin_each(storage, build):
    info = build("级别\n" + "1\n" * 3 + "3\n")
    (profile,) = read_profile(make_profile(storage.local_path(info.parquet_sha256), info), info)
    assert [(s.low, s.high, s.count) for s in profile.bins] == [
        ("1", "1", 3), ("2", "2", 0), ("3", "3", 1),
    ]  # fmt: skip


def test_a_profile_of_another_parquet_is_not_shown(storage, info, build):
    kept = make_profile(storage.local_path(info.parquet_sha256), info)
    assert read_profile(kept, build("甲\n1\n")) is None
    assert read_profile(None, info) is None


def test_the_cache_profiles_a_table_that_has_none(cache, storage, info):
    kept = read_profile(make_profile(storage.local_path(info.parquet_sha256), info), info)
    assert cache.profile(info) == kept


def test_the_first_rows_come_from_the_parquet_while_nothing_else_is_there(cache, info):
    cold = cache.run(info, TableQuery(limit=2, offset=1))
    cache.warm(info)
    warm = cache.run(info, TableQuery(limit=2, offset=1))
    assert cold == warm
    assert cold.total == 5
