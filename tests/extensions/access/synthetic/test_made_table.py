"""Made-up tables: shaped like the real one, with no row, key or guarded value of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from extensions.access.synthetic.made_table import make_table
from portal.rules.entry_content import InformationItem
from portal.storage.local import LocalStorage
from portal.tables.info import TableInfo
from portal.tables.reader import read_table
from portal.tables.store import build_table

Item = InformationItem
ITEMS = {
    item.field_name: item
    for item in (
        Item(1, "编号", "visit_id", primary_key=True, nullable=False),
        Item(2, "区代码", "area_code"),
        Item(3, "区名", "area_name"),
        Item(4, "等级", "level"),
        Item(5, "开始日期", "begun_on", "date"),
        Item(6, "结束日期", "ended_on", "date"),
        Item(7, "费用", "fee", "number", unit="元"),
        Item(8, "次数", "visits", "integer"),
        Item(9, "姓名", "person", personal="personal", masking="mask_name"),
        Item(10, "手机", "phone", personal="personal", masking="mask_phone"),
        Item(11, "出生日期", "born_on", "date", personal="personal", masking="generalise_date"),
        Item(12, "年龄", "age", "integer", personal="personal"),
    )
}
GUARDED = ("person", "phone", "born_on", "age")
AREAS = {"220102": "南关区", "220103": "宽城区", "220104": "朝阳区"}
COUNT = 400


def real_rows() -> list[dict[str, Any]]:
    random, rows = Random(7), []
    for number in range(COUNT):
        begun = date(2025, 1, 1) + timedelta(days=random.randrange(300))
        area = random.choice(list(AREAS))
        rows.append(
            {
                "visit_id": f"JL-{number:05d}",
                "area_code": area,
                "area_name": AREAS[area],
                "level": random.choices(["一级", "二级", ""], [5, 4, 1])[0],
                "begun_on": begun,
                "ended_on": begun + timedelta(days=random.randrange(30)),
                "fee": f"{random.randrange(100, 99_999) / 100:.2f}",
                "visits": random.randrange(1, 9) * 10,
                "person": random.choice("王李张刘") + random.choice("伟芳娜敏静丽"),
                "phone": f"139{random.randrange(10**8):08d}",
                "born_on": date(2024, 1, 1) + timedelta(days=number),  # where made dates begin
                "age": number % 1_000,  # as dense as made numbers
            }
        )
    return rows


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files")


@pytest.fixture
def build(tmp_path: Path, storage: LocalStorage) -> Callable[..., TableInfo]:
    def make(rows: list[dict[str, Any]], items: Mapping[str, InformationItem]) -> TableInfo:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([items[name].name if name in items else name for name in rows[0]])
        writer.writerows(row.values() for row in rows)
        path = tmp_path / "real.csv"
        path.write_text(out.getvalue(), encoding="utf-8")
        with read_table(path, filename="real.csv") as parsed:
            names = {item.name: item.field_name for item in items.values()}
            return build_table(parsed, storage, names=names)

    return make


def rows_of(storage: LocalStorage, info: TableInfo) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        found = connection.read_parquet(storage.local_path(info.parquet_sha256)).order("_id")
        names = [name for name in found.columns if name != "_id"]
        return [dict(zip(names, row[1:], strict=True)) for row in found.fetchall()]


def test_no_row_no_key_and_no_guarded_value_is_real(
    storage: LocalStorage, build: Callable[..., TableInfo]
) -> None:
    real = build(real_rows(), ITEMS)
    made = make_table(storage, ITEMS, real, name="visits")
    assert made is not None
    before, after = rows_of(storage, real), rows_of(storage, made)
    assert len(after) >= COUNT * 0.9
    assert not {tuple(row.values()) for row in before} & {tuple(row.values()) for row in after}
    for name in ("visit_id", *GUARDED):
        values = {row[name] for row in after} - {None}
        assert len(values) > 100 or name == "person", name
        assert not values & {row[name] for row in before}, name


def test_types_blanks_ranges_and_relations_are_those_of_the_real_table(
    storage: LocalStorage, build: Callable[..., TableInfo]
) -> None:
    real = build(real_rows(), ITEMS)
    made = make_table(storage, ITEMS, real, name="visits")
    assert made is not None
    for column in real.columns:
        found = made.column(column.field_name)
        assert (found.type, found.sql_type, found.decimal_places) == (
            column.type, column.sql_type, column.decimal_places,
        )  # fmt: skip
        share = found.blank_count / made.row_count
        assert share == pytest.approx(column.blank_count / real.row_count, abs=0.02), column.name
    rows = rows_of(storage, made)
    assert len({row["visit_id"] for row in rows}) == len(rows)
    assert all(row["visit_id"].startswith("JL-") for row in rows)
    assert {row["area_code"]: row["area_name"] for row in rows} == AREAS
    assert all(AREAS[row["area_code"]] == row["area_name"] for row in rows)
    assert {row["level"] for row in rows} == {"一级", "二级", None}
    assert all(row["begun_on"] <= row["ended_on"] for row in rows)
    assert all(row["visits"] % 10 == 0 and 10 <= row["visits"] <= 80 for row in rows)
    low, high = real.column("fee").minimum, real.column("fee").maximum
    assert all(float(low or 0) <= row["fee"] <= float(high or 0) for row in rows)
    assert all(len(row["phone"]) == 11 for row in rows)


def test_totals_are_the_sums_of_their_parts(
    storage: LocalStorage, build: Callable[..., TableInfo]
) -> None:
    items = {
        item.field_name: item
        for item in (
            Item(1, "编号", "code", primary_key=True, nullable=False),
            Item(2, "男", "men", "integer", unit="人"),
            Item(3, "女", "women", "integer", unit="人"),
            Item(4, "合计", "people", "integer", unit="人"),
            Item(5, "工资", "wages", "number", unit="元"),
            Item(6, "办公费", "office", "number", unit="元"),
            Item(7, "差旅费", "travel", "number", unit="元"),
            Item(8, "总支出", "spent", "number", unit="元"),
            Item(9, "无关数", "other", "integer", unit="人"),
        )
    }
    random, rows = Random(3), []
    for number in range(120):
        men, women = random.randrange(500), random.randrange(500)
        parts = [random.randrange(100, 90_000) for _ in range(3)]
        men_text = "" if number % 30 == 0 else str(men)
        rows.append({
            "code": f"B{number:04d}", "men": men_text, "women": women, "people": men + women,
            **{n: f"{p / 100:.2f}" for n, p in zip(("wages", "office", "travel"), parts, strict=True)},
            "spent": f"{sum(parts) / 100:.2f}", "other": random.randrange(900),
        })  # fmt: skip
    made = make_table(storage, items, build(rows, items), name="totals")
    assert made is not None
    found = rows_of(storage, made)
    assert len(found) > 100
    whole = [row for row in found if row["men"] is not None]
    assert len(whole) < len(found)  # blanks stay blanks
    assert all(row["people"] == row["men"] + row["women"] for row in whole)
    assert all(row["spent"] == row["wages"] + row["office"] + row["travel"] for row in found)
    assert len({row["people"] for row in whole}) > 50


def test_the_same_name_gives_the_same_table_and_another_name_another(
    storage: LocalStorage, build: Callable[..., TableInfo]
) -> None:
    real = build(real_rows(), ITEMS)
    first, again, other = (
        make_table(storage, ITEMS, real, name=name) for name in ("one", "one", "two")
    )
    assert first == again
    assert first is not None
    assert other is not None
    assert first.parquet_sha256 != other.parquet_sha256


def test_a_table_of_nothing_but_codes_leaves_no_real_row(
    storage: LocalStorage, build: Callable[..., TableInfo]
) -> None:
    items = {"level": Item(1, "等级", "level"), "kind": Item(2, "种类", "kind")}
    rows = [{"level": a, "kind": b} for a in ("甲", "乙") for b in ("子", "丑")] * 20
    real = build(rows, items)
    made = make_table(storage, items, real, name="codes")
    assert made is not None
    assert made.row_count > 0
    after = {tuple(row.values()) for row in rows_of(storage, made)}
    assert not after & {tuple(row.values()) for row in rows}


def test_values_that_few_rows_share_are_not_taken(
    storage: LocalStorage, build: Callable[..., TableInfo]
) -> None:
    items = {"code": ITEMS["visit_id"], "note": Item(2, "备注", "note")}
    texts = ["常见"] * 60 + ["只有一行的备注"]
    rows = [{"code": f"A{n:04d}", "note": text} for n, text in enumerate(texts)]
    made = make_table(storage, items, build(rows, items), name="notes")
    assert made is not None
    assert "只有一行的备注" not in {row["note"] for row in rows_of(storage, made)}


def test_without_a_table_rows_are_made_of_the_items(storage: LocalStorage) -> None:
    items = {
        **ITEMS,
        "county": Item(13, "县", "county", length=6, code_list="regions"),
        "seen_at": Item(14, "时间", "seen_at", "datetime", nullable=False),
        "price": Item(15, "价格", "price", "money", precision=1),
    }
    made = make_table(storage, items, None, name="planned")
    assert made is not None
    rows = rows_of(storage, made)
    assert made.row_count == len(rows) == 200
    assert made.column("price").sql_type == "DECIMAL(18,1)"
    assert all(len(row["county"]) == 6 for row in rows if row["county"])
    assert made.column("seen_at").blank_count == 0
    assert len({row["visit_id"] for row in rows}) == 200
    assert make_table(storage, {}, None, name="empty") is None
