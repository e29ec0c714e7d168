"""The files of the sample catalogue: they keep the rules that the portal keeps for everyone."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from dataclasses import fields
from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any
from xml.etree.ElementTree import canonicalize
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from pydantic import TypeAdapter

from portal.codes import code_list
from portal.demo.data import make_tables
from portal.demo.data.generators.places import cities, counties
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import JL_1, defects
from portal.services.codes_known import known_codes
from portal.tables.reader import read_table

DATA = Path(make_tables.__file__).parent
FILES = DATA / "files"
TODAY = date(2026, 11, 24)
CONTENT_FIELDS = {f.name for f in fields(EntryContent)}
OTHER_KEYS = {
    "key", "stage", "provider", "responsible_dept", "files", "published_on", "data_modified",
    "planned_open_on", "livelihood_confirmed", "hvd_tagged", "interface", "reason", "note", "revision",
}  # fmt: skip
STAGES = {
    "draft", "submitted", "returned", "published", "proposed", "planned", "open", "suspended",
    "removed", "retired", "revising",
}  # fmt: skip
UNPUBLISHED = {"draft", "submitted", "returned"}
WITH_REASON = {"returned", "suspended", "removed", "retired"}
IN_CATALOGUE_ONLY = UNPUBLISHED | {"published"}
REAL = {"geo-divisions", "org-departments", "oth-calendar", "oth-sources", "oth-portals"}
PERSONAL = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx](?!\w)")
MAX_BYTES = 8_000_000

ENTRIES: list[dict[str, Any]] = make_tables.read_entries()
WITH_FILES = [entry for entry in ENTRIES if entry["files"]]


def by_key(entry: dict[str, Any]) -> str:
    return str(entry["key"])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def organisations() -> dict[str, dict[str, str]]:
    extra = {row["code"]: row for row in read_csv(DATA / "organisations.csv")}
    departments = {d.code: {**d.row, "parent_code": ""} for d in code_list("departments")}
    assert not extra.keys() & departments.keys()
    return departments | extra


def content_of(entry: dict[str, Any]) -> EntryContent:
    known = {name: value for name, value in entry.items() if name in CONTENT_FIELDS}
    return TypeAdapter(EntryContent).validate_json(json.dumps(known), strict=True)


@cache
def table_of(name: str) -> tuple[list[str], int]:
    """Return (columns, number of rows) of a table file."""
    path = FILES / name
    if path.suffix in (".csv", ".xlsx"):
        with read_table(path, filename=path.name) as table:
            return table.names, table.row_count
    value = json.loads(path.read_text(encoding="utf-8"))
    rows = [f["properties"] for f in value["features"]] if path.suffix == ".geojson" else value
    return list(rows[0]), len(rows)


def text_of(path: Path) -> str:
    if path.suffix == ".xlsx":
        rows = load_workbook(path, read_only=True).active.iter_rows(values_only=True)
        return "\n".join("\t".join(map(str, row)) for row in rows)
    raw = path.read_bytes()
    for encoding in ("utf-16" if raw.startswith(b"\xff\xfe") else "utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError(f"{path} is no text")


def bytes_of(path: Path) -> dict[str, bytes]:
    """Return the content; of a workbook its parts as canonical XML, since zlibs compress and XML
    libraries write the same thing differently."""
    if path.suffix != ".xlsx":
        return {"": path.read_bytes()}
    with ZipFile(path) as book:
        return {n: canonicalize(book.read(n).decode()).encode() for n in book.namelist()}


def similarity(one: str, two: str) -> float:
    """Jaccard index of the character bigrams."""
    a, b = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (one, two))
    return len(a & b) / len(a | b)


# Entries


@pytest.mark.parametrize("entry", ENTRIES, ids=by_key)
def test_an_entry_keeps_the_profile(entry: dict[str, Any]) -> None:
    assert set(entry) <= CONTENT_FIELDS | OTHER_KEYS
    content = content_of(entry)
    assert [defect.text() for defect in defects(content, JL_1, known_codes())] == []
    assert 60 <= len(content.abstract) <= 300
    assert [item.order for item in content.items] == list(range(1, len(content.items) + 1))
    assert all(item.personal == "none" or not item.open for item in content.items)
    if content.licence:
        assert code_list("licences")[content.licence]["for_open_type"] == content.open_type
    for item in content.items:
        assert not item.code_list or code_list(item.code_list)


@pytest.mark.parametrize("entry", ENTRIES, ids=by_key)
def test_an_entry_stands_where_its_kind_may_stand(entry: dict[str, Any]) -> None:
    stage, open_type = entry["stage"], entry["open_type"]
    assert stage in STAGES
    assert open_type != "none" or stage in IN_CATALOGUE_ONLY
    if entry["acquisition_method"] in ("shared", "negotiated"):
        assert stage in IN_CATALOGUE_ONLY
    assert bool(entry.get("reason")) == (stage in WITH_REASON)
    assert ("planned_open_on" in entry) == (stage in ("proposed", "planned"))
    assert ("published_on" in entry) == (stage not in UNPUBLISHED)
    assert ("revision" in entry) == (stage == "revising")
    if stage in ("open", "suspended", "revising", "removed"):
        assert entry["files"]
        assert "data_modified" in entry


@pytest.mark.parametrize("entry", ENTRIES, ids=by_key)
def test_an_entry_names_organisations_that_exist(entry: dict[str, Any]) -> None:
    provider = organisations()[entry["provider"]]
    assert entry["responsible_dept"] in code_list("departments")
    assert not entry["responsible_dept"].startswith("PU-")
    region, above = provider["region_code"], set()
    while region:
        above.add(region)
        region = code_list("regions")[region]["parent_code"]
    assert entry["region"] in above


@pytest.mark.parametrize("entry", ENTRIES, ids=by_key)
def test_dates_are_in_the_past_and_plans_in_the_future(entry: dict[str, Any]) -> None:
    for name in ("published_on", "data_modified", "temporal_end", "verified_at"):
        # A calendar may well reach past today.
        if name in entry and not (entry["key"] == "oth-calendar" and name == "temporal_end"):
            assert date.fromisoformat(entry[name]) < TODAY
    if "planned_open_on" in entry:
        assert date.fromisoformat(entry["planned_open_on"]) > TODAY
    if "published_on" in entry:
        assert date(2025, 1, 1) <= date.fromisoformat(entry["published_on"])


def test_what_is_invented_says_so() -> None:
    for entry in ENTRIES:
        invented = entry["key"] not in REAL
        assert entry["title"].endswith("（示例）") == invented
        assert ("真实数据" in entry["note"]) != invented
        assert (entry["key"] in make_tables.GENERATORS) == (invented and bool(entry["files"]))


def test_an_interface_gives_open_items_only() -> None:
    codes = [entry["interface"]["api_code"] for entry in ENTRIES if "interface" in entry]
    assert len(set(codes)) == len(codes)
    for entry in ENTRIES:
        if entry["open_type"] == "conditional":
            open_items = [i["field_name"] for i in entry["items"] if i["open"]]
            assert entry["interface"]["fields"] == open_items
        else:
            assert "interface" not in entry


def test_the_catalogue_covers_themes_types_and_stages() -> None:
    assert len(ENTRIES) >= 66
    assert len({entry["key"] for entry in ENTRIES}) == len(ENTRIES)
    assert {entry["theme"] for entry in ENTRIES} == {theme.code for theme in code_list("themes")}
    assert {entry["open_type"] for entry in ENTRIES} == {"unconditional", "conditional", "none"}
    assert {entry["stage"] for entry in ENTRIES} == STAGES
    assert len({entry["provider"] for entry in ENTRIES}) >= 30
    formats = Counter(file["format"] for entry in ENTRIES for file in entry["files"])
    assert set(formats) == {"csv", "xlsx", "json", "geojson"}


def test_no_two_data_sets_are_near_duplicates() -> None:
    for one, two in combinations(ENTRIES, 2):
        assert similarity(one["title"], two["title"]) < 0.6, (one["key"], two["key"])
        assert similarity(one["abstract"], two["abstract"]) < 0.7, (one["key"], two["key"])


# Tables


@pytest.mark.parametrize("entry", WITH_FILES, ids=by_key)
def test_the_first_file_has_the_items_as_columns(entry: dict[str, Any]) -> None:
    for place, file in enumerate(entry["files"]):
        assert (FILES / file["file"]).suffix == f".{file['format']}"
        assert file["format"] in entry["format"]
        names, rows = table_of(file["file"])
        assert 50 <= rows <= 20_000
        attribute = "name" if file["format"] in ("csv", "xlsx") else "field_name"
        if place == 0:
            assert names == [item[attribute] for item in entry["items"]]


def test_enough_tables_are_large_and_conditional() -> None:
    rows = {entry["key"]: table_of(entry["files"][0]["file"])[1] for entry in WITH_FILES}
    large = [entry for entry in WITH_FILES if rows[entry["key"]] >= 200]
    conditional = [e for e in large if e["open_type"] == "conditional" and e["stage"] == "open"]
    assert len(large) >= 15
    assert len(conditional) >= 5
    assert max(rows.values()) > 10_000


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter"),
    [
        ("transport/roadworks.csv", "gb18030", ","),
        ("commerce/grain_prices.csv", "gb18030", ","),
        ("environment/river_quality.csv", "utf-16-le", "\t"),
        ("transport/bus_stops.csv", "utf-8", ","),
    ],
)
def test_agencies_hand_in_many_encodings(name: str, encoding: str, delimiter: str) -> None:
    with read_table(FILES / name, filename=name) as table:
        assert table.encoding.startswith(encoding)
        assert table.delimiter == delimiter


@pytest.mark.parametrize("key", sorted(make_tables.GENERATORS))
def test_invented_rows_are_complete_unique_and_have_gaps_only_where_allowed(key: str) -> None:
    entry = next(e for e in ENTRIES if e["key"] == key)
    columns, rows = make_tables.make_rows(entry)
    for column in columns:
        blank = sum(row[column.field_name] in (None, "") for row in rows)
        if not column.nullable:
            assert blank == 0, column.name
    keys = [item["field_name"] for item in entry["items"] if item.get("primary_key")]
    assert len({tuple(row[k] for k in keys) for row in rows}) == len(rows) or not keys
    for item in entry["items"]:
        if item.get("code_list") == "regions":
            codes = {row[item["field_name"]] for row in rows} - {None}
            assert codes <= {region.code for region in code_list("regions")}
        if item["data_type"] == "string":
            assert all(len(str(row[item["field_name"]] or "")) <= item["length"] for row in rows)


def test_some_values_are_missing_as_in_life() -> None:
    entry = next(e for e in ENTRIES if e["key"] == "hea-institutions")
    _, rows = make_tables.make_rows(entry)
    shares = [sum(row[name] is None for row in rows) / len(rows) for name in rows[0]]
    assert any(0.005 <= share <= 0.07 for share in shares)


def test_places_lie_in_jilin() -> None:
    assert len(counties()) == 60
    assert len(cities()) == 9
    for key in make_tables.GENERATORS:
        for row in make_tables.GENERATORS[key](Random(key)):
            if "longitude" in row:
                assert 121.6 <= float(str(row["longitude"])) <= 131.4
                assert 40.8 <= float(str(row["latitude"])) <= 46.4


def test_making_the_tables_again_gives_the_same_bytes(tmp_path: Path) -> None:
    make_tables.main([str(tmp_path)])
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) >= 50
    changed = [n for n in made if bytes_of(tmp_path / n) != bytes_of(FILES / n)]
    assert changed == []


def test_files_are_small_named_in_the_catalogue_and_without_personal_data() -> None:
    paths = [path for path in FILES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in paths) <= MAX_BYTES
    listed = {file["file"] for entry in ENTRIES for file in entry["files"]}
    unlisted = {path.relative_to(FILES).as_posix() for path in paths} - listed
    assert all("LICENSE" in name or name == "SOURCE.md" for name in unlisted)
    for path in [*paths, DATA / "entries.jsonl", DATA / "accounts.csv", DATA / "organisations.csv"]:
        if found := PERSONAL.search(text_of(path)):
            raise AssertionError(f"{path.name}: {found.group()}")


# Organisations and accounts


def test_organisations_name_parents_and_regions() -> None:
    rows = read_csv(DATA / "organisations.csv")
    for row in rows:
        assert row["parent_code"] in organisations()
        assert row["region_code"] in code_list("regions")
        assert (row["kind"] == "public_utility") == row["name"].endswith("（示例）")
    authorities = {row["region_code"] for row in rows if row["kind"] == "city_authority"}
    assert authorities == set(cities()) | {"22CB00", "22CX00"}


def test_accounts_cover_every_role() -> None:
    rows = read_csv(DATA / "accounts.csv")
    assert {row["role"] for row in rows} == {role.code for role in code_list("roles")}
    assert len({row["username"] for row in rows}) == len(rows)
    for row in rows:
        if row["role"] == "applicant":
            assert not row["organisation_code"]
            assert row["applicant_kind"] in ("natural_person", "legal_person")
        else:
            assert row["organisation_code"] in organisations()
            assert not row["applicant_kind"]
