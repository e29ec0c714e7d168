from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from portal.errors import Invalid
from portal.tables.query import MAX_OFFSET, MAX_PAGE_ROWS, Filter, TableQuery, compile_query

TEXT = (
    "代码,名称,数量,价格,日期,时间\n"
    "01,Apple 甲,5,1.5,2024-01-01,2024-01-01 08:00\n"
    "02,banana 乙,-3,20.25,2024-02-01,2024-02-01 09:30\n"
    "03,,7,3,2024-03-01,2024-03-01 10:00\n"
    "04,100%_丁,,0.1,,2024-04-01 00:00\n"
)


@pytest.fixture
def info(build):
    return build(TEXT)


@pytest.fixture
def ids(cache, info):
    """Return a function that runs a query and gives the codes of its rows."""

    def run(**parts):
        page = cache.run(info, TableQuery(**parts))
        return [row["dai_ma"] for row in page.rows]

    return run


def defects(info, **parts):
    with pytest.raises(Invalid) as caught:
        compile_query(info, TableQuery(**parts))
    return caught.value.defects


def test_values_have_their_types(cache, info):
    page = cache.run(info, TableQuery(limit=1))
    assert page.rows == [
        {
            "dai_ma": "01", "ming_cheng": "Apple 甲", "shu_liang": 5, "jia_ge": Decimal("1.5"),
            "ri_qi": date(2024, 1, 1), "shi_jian": datetime(2024, 1, 1, 8),
        }
    ]  # fmt: skip
    assert (page.total, page.last_id) == (4, 1)


@pytest.mark.parametrize(
    ("column", "op", "value", "expected"),
    [
        ("dai_ma", "eq", "02", ["02"]),
        ("dai_ma", "in", ["04", "01", "99"], ["01", "04"]),
        ("shu_liang", "eq", "5", ["01"]),
        ("shu_liang", "ne", "5", ["02", "03", "04"]),
        ("shu_liang", "gt", "4.5", ["01", "03"]),
        ("shu_liang", "lt", "0", ["02"]),
        ("jia_ge", "ge", "3", ["02", "03"]),
        ("jia_ge", "eq", "0.10", ["04"]),
        ("jia_ge", "in", ["3", "1.5"], ["01", "03"]),
        ("ri_qi", "le", "2024-02-01", ["01", "02"]),
        ("shi_jian", "ge", "2024-03-01", ["03", "04"]),
        ("shi_jian", "eq", "2024-02-01T09:30", ["02"]),
        ("ming_cheng", "contains", "BANANA", ["02"]),
        ("ming_cheng", "contains", "甲", ["01"]),
        ("ming_cheng", "contains", "%_", ["04"]),
        ("ming_cheng", "is_blank", "", ["03"]),
        ("shu_liang", "not_blank", "", ["01", "02", "03"]),
        ("ming_cheng", "eq", "x' OR 1=1 --", []),
    ],
)
def test_filters(ids, column, op, value, expected):
    assert ids(filters=[Filter(column, op, value)]) == expected


def test_filters_and_search_are_joined_by_and(ids):
    assert ids(q="a") == ["01", "02"]
    assert ids(q="a", filters=[Filter("shu_liang", "gt", "0")]) == ["01"]
    assert ids(q="没有的词") == []
    assert ids(q='"; DROP TABLE rows; --') == []


def test_sort_puts_blanks_last_both_ways(ids):
    assert ids(sort=[("shu_liang", False)]) == ["02", "01", "03", "04"]
    assert ids(sort=[("shu_liang", True)]) == ["03", "01", "02", "04"]
    assert ids(sort=[("ming_cheng", False), ("dai_ma", True)])[-1] == "03"
    assert ids(sort=[("dai_ma", True), ("dai_ma", False)]) == ["04", "03", "02", "01"]


def test_pages_by_offset_and_by_key(cache, info, ids):
    assert ids(limit=2, offset=1) == ["02", "03"]
    first = cache.run(info, TableQuery(limit=3))
    after = cache.run(info, TableQuery(limit=3, after_id=first.last_id))
    assert [row["dai_ma"] for row in after.rows] == ["04"]
    assert after.total == 4
    end = cache.run(info, TableQuery(after_id=after.last_id))
    assert (end.rows, end.last_id) == ([], None)


def test_totals_hold_whatever_the_page(cache, info):
    some = [Filter("jia_ge", "gt", "1")]
    for limit, offset in ((1, 0), (100, 0), (1, 2), (100, 50), (0, 0)):
        assert cache.run(info, TableQuery(filters=some, limit=limit, offset=offset)).total == 3
    assert cache.run(info, TableQuery(filters=some), with_total=False).total is None


def test_columns_are_chosen_in_order(cache, info):
    page = cache.run(info, TableQuery(columns=["jia_ge", "dai_ma"], limit=1))
    assert list(page.rows[0]) == ["jia_ge", "dai_ma"]
    assert [column.name for column in page.columns] == ["价格", "代码"]


@pytest.mark.parametrize(
    ("parts", "field", "code"),
    [
        ({"columns": ["nope"]}, "columns", "unknown_column"),
        ({"columns": ["_id"]}, "columns", "unknown_column"),
        ({"sort": [('x" DESC; --', True)]}, "sort", "unknown_column"),
        ({"filters": [Filter("nope", "eq", "1")]}, "filters.0", "unknown_column"),
        ({"filters": [Filter("dai_ma", "like", "1")]}, "filters.0", "unknown_operator"),
        ({"filters": [Filter("shu_liang", "eq", "一")]}, "filters.0", "bad_value"),
        ({"filters": [Filter("shu_liang", "eq", "")]}, "filters.0", "bad_value"),
        ({"filters": [Filter("shu_liang", "eq", "1e5")]}, "filters.0", "bad_value"),
        ({"filters": [Filter("jia_ge", "eq", "NaN")]}, "filters.0", "bad_value"),
        ({"filters": [Filter("ri_qi", "eq", "2024-02-30")]}, "filters.0", "bad_value"),
        ({"filters": [Filter("shi_jian", "eq", "2024-02-01T00:00Z")]}, "filters.0", "bad_value"),
        ({"filters": [Filter("shu_liang", "contains", "1")]}, "filters.0", "not_text"),
        ({"filters": [Filter("dai_ma", "in", "01")]}, "filters.0", "bad_list"),
        ({"filters": [Filter("dai_ma", "in", [])]}, "filters.0", "bad_list"),
        ({"filters": [Filter("dai_ma", "eq", ["01"])]}, "filters.0", "bad_value"),
        ({"filters": [Filter("dai_ma", "eq", "x" * 1001)]}, "filters.0", "too_long"),
        ({"filters": [Filter("dai_ma", "eq", "1")] * 21}, "filters", "out_of_range"),
        ({"limit": -1}, "limit", "out_of_range"),
        ({"limit": None}, "limit", "out_of_range"),
        ({"limit": MAX_PAGE_ROWS + 1}, "limit", "out_of_range"),
        ({"offset": -1}, "offset", "out_of_range"),
        ({"offset": 10**9}, "offset", "out_of_range"),
        ({"offset": MAX_OFFSET + 1}, "offset", "out_of_range"),
        ({"after_id": -1}, "after_id", "out_of_range"),
        ({"after_id": 10**30}, "after_id", "out_of_range"),
        ({"after_id": 1, "sort": [("dai_ma", False)]}, "after_id", "out_of_range"),
        ({"q": "x" * 1001}, "q", "out_of_range"),
    ],
)
def test_what_does_not_fit_is_named(info, parts, field, code):
    found = defects(info, **parts)
    assert (found[0].field, found[0].code) == (field, code)
    assert found[0].text()


def test_all_defects_come_at_once(info):
    found = defects(
        info, limit=-1, columns=["a"], filters=[Filter("b", "eq", "1"), Filter("ri_qi", "eq", "x")]
    )
    assert [one.field for one in found] == ["limit", "columns", "filters.0", "filters.1"]
    assert "2025-03-01" in found[3].text()


def test_lone_surrogates_find_nothing_and_break_nothing(ids):
    assert ids(q="\udcff") == []
    assert ids(filters=[Filter("ming_cheng", "eq", "\udcff")]) == []


def test_no_user_text_is_in_the_sql(info):
    evil = "'; DROP TABLE rows; --"
    compiled = compile_query(
        info,
        TableQuery(
            q=evil, filters=[Filter("ming_cheng", "eq", evil), Filter("dai_ma", "in", [evil])]
        ),
    )
    assert "DROP" not in compiled.where + compiled.order + compiled.page
    assert compiled.parameters.count(evil) == 2
