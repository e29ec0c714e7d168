"""The scan finds what is sensitive over every row, and leaves the sample catalogue alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from stdnum import luhn

from extensions.quality.scan.checksums import (
    is_credit_code,
    is_id_number,
    luhn_sql,
    ric_sql,
    uscc_sql,
)
from extensions.quality.scan.findings import ColumnFindings, Looked
from extensions.quality.scan.look import look_at_table
from portal.storage.local import LocalStorage
from portal.tables.info import TableInfo
from portal.tables.reader import read_table
from portal.tables.store import build_table
from tests.extensions.quality.conftest import ID_NUMBER

Look = Callable[[str], tuple[TableInfo, Path]]
SAMPLES = Path(__file__).parents[3] / "portal" / "demo" / "data" / "files"
CARD = "6222020200112230"


def found_in(look: Look, text: str) -> dict[str, set[str]]:
    """Return column -> kinds that wait for a decision."""
    looked = look_at_table(*look(text))
    kinds: dict[str, set[str]] = {}
    for finding in looked.findings:
        if finding.blocks:
            kinds.setdefault(finding.column, set()).add(finding.kind)
    return kinds


def _column(name: str, *values: str) -> str:
    return f"序号,{name}\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values, 1))


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("编号", ID_NUMBER, "id_number"),
        ("备注", f"证号{ID_NUMBER}，已核", "id_number"),
        ("备注", "２２０１０２１９９００３０７００１３", "id_number"),
        ("身份证号", "220102900307001", "id_number"),
        ("联系方式", "138-4444-5555", "mobile"),
        ("联系方式", "+86 13844445555", "mobile"),
        ("家庭电话", "0431-88887777", "landline"),
        ("账户", CARD, "bank_card"),
        ("账户", "6222 0202 0011 2230", "bank_card"),
        ("联系", "zhang.san@example.com", "email"),
        ("车辆", "吉A·12345", "plate"),
        ("车辆", "吉AD12345", "plate"),
        ("地点", "长春市人民大街12号3栋2单元301室", "address"),
        ("家庭住址", "长春市朝阳区靠山屯15号", "address"),
        ("证件", "护照E12345678", "passport"),
        ("护照号", "G12345678", "passport"),
        ("主体代码", "91110000600037341L", "uscc"),
    ],
)
def test_one_cell_among_many_is_found(look: Look, name: str, value: str, kind: str) -> None:
    text = _column(name, *["普通内容"] * 40, value, *["普通内容"] * 40)
    assert kind in found_in(look, text).get(name, set())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("编码", [f"220102{n:012d}" for n in range(40)]),  # 18 digits, no dates
        ("联系电话", ["0431-80001201", "0432-8000738"] * 20),  # of offices
        ("邮箱", ["kjc@jt.jl.gov.cn"] * 40),
        (
            "产值（元）",
            [str(13_000_000_000 + 7 * n) for n in range(20)] + ["9", "120", "88000"] * 9,
        ),
        ("地址", ["集安市友谊路829号", "绿园区长青路1925号"] * 20),
        ("身份证号", ["2201**********0013"] * 40),  # masked already
        ("号牌种类", ["小型汽车", "大型汽车"] * 20),
        ("文号", ["吉示应急罚〔2026〕1号", "吉政办发〔2025〕3号"] * 20),
    ],
)
def test_what_only_looks_alike_waits_for_nobody(look: Look, name: str, values: list[str]) -> None:
    assert found_in(look, _column(name, *values)) == {}


def test_names_and_birth_dates_are_sensitive_beside_what_finds_the_person(look: Look) -> None:
    people = "姓名,出生日期,手机\n" + "".join(
        f"{name},1990-0{n}-11,1384444555{n}\n"
        for n, name in enumerate(("张三", "李四", "王小五"), 1)
    )
    assert found_in(look, people) == {
        "姓名": {"name"},
        "出生日期": {"birth_date"},
        "手机": {"mobile"},
    }
    assert found_in(look, "负责人,站点\n张三,人民广场\n李四,桂林路\n王五,红旗街\n") == {}


def test_a_value_that_became_the_name_of_a_column_is_found_and_shown_masked(look: Look) -> None:
    looked = look_at_table(*look(f"{ID_NUMBER},人民广场\n甲,乙\n丙,丁\n"))
    header = next(f for f in looked.findings if f.by == "header")
    assert header.kind == "id_number"
    assert ID_NUMBER not in header.column
    assert ColumnFindings.gather(looked.as_list())[0].in_header


def test_examples_are_masked_and_cells_are_counted(look: Look) -> None:
    text = _column("证号", ID_NUMBER, f"{ID_NUMBER}、{ID_NUMBER}", "无", "")
    finding = look_at_table(*look(text)).findings[0]
    assert (finding.count, finding.share) == (2, 0.6667)
    assert finding.examples == ("220*************13",)


def test_repeated_rows_and_equal_contents_are_known(look: Look) -> None:
    first = look_at_table(*look("甲,乙\n1,a\n2,b\n2,b\n"))
    turned = look_at_table(*look("甲,乙\n2,b\n1,a\n2,b\n"))
    other = look_at_table(*look("甲,乙\n2,b\n1,a\n1,a\n"))
    assert first.duplicate_rows == 1
    assert first.content_hash == turned.content_hash != other.content_hash


def test_sql_and_library_say_the_same_of_checksums() -> None:
    chance = random.Random(6)
    digits, signs = "0123456789", "0123456789ABCDEFGHJKLMNPQRTUWXY"
    ids = [
        f"22010{chance.randint(1, 9)}{chance.randint(1930, 2020)}{chance.randint(1, 13):02d}"
        f"{chance.randint(1, 31):02d}{chance.randint(0, 999):03d}{chance.choice(digits + 'X')}"
        for _ in range(3000)
    ]
    codes = ["91220101" + "".join(chance.choices(signs, k=10)) for _ in range(3000)]
    cards = ["62" + "".join(chance.choices(digits, k=chance.choice((14, 17)))) for _ in range(2000)]
    for sql, values, check in (
        (ric_sql, ids, is_id_number),
        (uscc_sql, codes, is_credit_code),
        (luhn_sql, cards, luhn.is_valid),
    ):
        rows = duckdb.execute(
            f"SELECT {sql('x')} FROM (SELECT unnest(?) AS x)", [values]
        ).fetchall()
        said = [row[0] for row in rows]
        assert said == [bool(check(value)) for value in values]
        assert any(said)


def test_every_sample_table_stays_publishable(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    looked: dict[str, Looked] = {}
    for path in sorted(SAMPLES.rglob("*")):
        if path.suffix in (".csv", ".xlsx", ".xls"):
            with read_table(path, filename=path.name) as parsed:
                info = build_table(parsed, storage)
            parquet = Path(storage.local_path(info.parquet_sha256))
            looked[path.name] = look_at_table(info, parquet, path)
    assert len(looked) > 40
    assert [name for name, one in looked.items() if one.blocks] == []
