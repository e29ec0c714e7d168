"""What changed between two tables: columns; rows by key, or as a whole where there is no key."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from portal.errors import Unavailable
from portal.tables import difference_store
from portal.tables.difference import ADDED, CHANGED, REMOVED, column_changes, compare
from portal.tables.difference_store import DifferenceStore

BEFORE = "编码,名称,客流,备注\n001,甲站,10,a\n002,乙站,20,\n003,丙站,30,c\n"
AFTER = "编码,名称,客流,类别\n003,丙站,30.0,x\n001,甲站,11.5,x\n004,丁站,,y\n"


@pytest.fixture
def store(tmp_path, storage):
    return DifferenceStore(tmp_path / "differences", storage)


def test_columns_that_came_went_and_changed(build):
    found = column_changes(compare(build(BEFORE), build(AFTER)))
    assert [(one.kind, one.field_name) for one in found] == [
        (ADDED, "lei_bie"), (REMOVED, "bei_zhu"), (CHANGED, "ke_liu"),
    ]  # fmt: skip
    assert (found[2].before.type, found[2].after.type) == ("integer", "number")


def test_rows_by_key(build, store):
    comparison = compare(build(BEFORE), build(AFTER))
    assert comparison.key == ("bian_ma",)
    found = store.find(comparison)
    assert found.counts == {ADDED: 1, REMOVED: 1, CHANGED: 1}
    changed = store.rows(found, CHANGED, 10)[0]
    assert (changed.before_row, changed.after_row) == (1, 2)
    assert (changed.before["ke_liu"], changed.after["ke_liu"]) == ("10", "11.5")
    assert (changed.before["bei_zhu"], changed.after["bei_zhu"]) == ("a", None)
    assert store.rows(found, ADDED, 10)[0].after["ming_cheng"] == "丁站"
    assert store.rows(found, REMOVED, 10)[0].before["ming_cheng"] == "乙站"


def test_the_key_of_the_information_items_goes_first(build):
    text = "序号,编码\n1,a\n2,b\n"
    before, after = build(text), build(text)
    assert compare(before, after).key == ("xu_hao",)
    assert compare(before, after, known_key=["bian_ma"]).key == ("bian_ma",)
    assert compare(before, after, known_key=["nothing"]).key == ("xu_hao",)


def test_whole_rows_count_repetitions(build, store):
    before = build("甲,乙\na,1\na,1\na,1\nb,2\n,\n")
    after = build("甲,乙\na,1\nb,2\nb,2\n")
    comparison = compare(before, after)
    assert comparison.key == ()
    found = store.find(comparison)
    assert found.counts == {ADDED: 1, REMOVED: 2, CHANGED: 0}


def test_the_same_table_differs_in_nothing(build, store):
    info = build(BEFORE)
    assert sum(store.find(compare(info, info)).counts.values()) == 0
    assert column_changes(compare(info, info)) == ()


def test_the_download_has_every_row_and_no_formula(build, store):
    before = build("编码,说明\n1,x\n2,y\n")
    after = build('编码,说明\n1,"=1+1, ""a"""\n3,z\n')
    found = store.find(compare(before, after))
    data = b"".join(store.csv(found)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert rows[0] == [
        "变化", "旧行号", "新行号", "编码（旧）", "编码（新）", "说明（旧）", "说明（新）",
    ]  # fmt: skip
    assert rows[1:] == [
        ["新增", "", "2", "", "3", "", "z"],
        ["修改", "1", "1", "1", "1", "x", '\'=1+1, "a"'],
        ["删除", "2", "", "2", "", "y", ""],
    ]


def test_a_column_that_may_not_be_seen_is_in_no_difference(build, store):
    before, after = build("编码,名称,电话\n1,a,5\n"), build("编码,名称,电话\n1,a,6\n")
    hidden = [replace(info, columns=info.columns[:2]) for info in (before, after)]
    assert store.find(compare(before, after)).counts[CHANGED] == 1
    found = store.find(compare(*hidden))
    assert sum(found.counts.values()) == 0
    assert "dian_hua" not in found.comparison.shown


def test_a_hidden_key_is_not_used(build):
    info = build("编码,名称\n1,a\n2,a\n")
    hidden = replace(info, columns=info.columns[1:])
    assert compare(hidden, hidden).key == ()


def test_too_many_rows_are_refused_with_a_way_out(build, store, monkeypatch):
    monkeypatch.setattr(difference_store, "MAX_ROWS", 5)
    info = build(BEFORE)
    with pytest.raises(Unavailable, match="下载两个版本"):
        store.find(compare(info, info))


def test_a_second_look_computes_nothing(build, store, storage, monkeypatch):
    comparison = compare(build(BEFORE), build(AFTER))
    first = store.find(comparison)
    monkeypatch.setattr(storage, "local_path", lambda _: pytest.fail("computed again"))
    assert store.find(comparison).counts == first.counts


def test_a_large_pair_stays_within_its_memory(build, store):
    lines = [f"{n:07d},名称{n % 977},{n}\n" for n in range(60_000)]
    before = build("编码,名称,数\n" + "".join(lines))
    lines[5] = "0000005,改,5\n"
    after = build("编码,名称,数\n" + "".join(lines[1:]))
    assert store.find(compare(before, after)).counts == {ADDED: 0, REMOVED: 1, CHANGED: 1}
