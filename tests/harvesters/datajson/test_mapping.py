"""A data set of a `data.json` in our words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from harvesters.codes import CodeBook
from harvesters.datajson.document import datasets_of, read_document
from harvesters.datajson.mapping import record_from_dataset
from harvesters.record import SourceFailed
from harvesters.whole_answer import WholeAnswer


def dataset(**more: Any) -> dict[str, Any]:
    return {"identifier": "a-1", "title": "公交站点", "description": "站点名称和位置", **more}


def whole(content: bytes) -> WholeAnswer:
    return WholeAnswer(content, "application/json", "https://city.example/data.json")


def test_schema_1_1(book: CodeBook) -> None:
    record = record_from_dataset(
        dataset(
            keyword=["公交", "站点"],
            modified="2026-11-01T08:00:00+08:00",
            issued="2024-03-05",
            publisher={"@type": "org:Organization", "name": "长春市交通运输局"},
            contactPoint={"fn": "数据科", "hasEmail": "mailto:data@city.example"},
            accessLevel="restricted public",
            rights="须说明用途",
            license="https://creativecommons.org/licenses/by/4.0/",
            temporal="2020-01-01/2025-12-31",
            accrualPeriodicity="R/P1D",
            bureauCode=["018:10"],
        ),
        book,
        place="dataset[0]",
    )
    assert record.remote_id == "a-1"
    assert record.modified == datetime(2026, 11, 1, tzinfo=UTC)
    assert record.fields == {
        "title": "公交站点",
        "abstract": "站点名称和位置",
        "keywords": ("公交", "站点"),
        "provider_name": "长春市交通运输局",
        "contact_name": "数据科",
        "contact_email": "data@city.example",
        "data_modified": datetime(2026, 11, 1, tzinfo=UTC),
        "issued": date(2024, 3, 5),
        "update_frequency": "daily",
        "temporal_start": date(2020, 1, 1),
        "temporal_end": date(2025, 12, 31),
        "open_type": "conditional",
        "open_condition": "须说明用途",
        "licence": "cc-by-4.0",
    }
    assert record.foreign["bureauCode"] == ["018:10"]


def test_objects_of_dcat_us_3(book: CodeBook) -> None:
    record = record_from_dataset(
        {
            "identifier": {"@type": "Identifier", "@id": "https://city.example/three"},
            "title": {"en": "Bus stops", "zh-Hans": "公交站点"},
            "description": [{"@value": "Stops", "@language": "en"}],
            "temporal": [{"startDate": "2020-01-01"}],
            "contactPoint": [{"fn": "One", "hasEmail": "mailto:one@city.example"}],
        },
        book,
    )
    assert record.remote_id == "https://city.example/three"
    assert record.fields["title"] == "公交站点"
    assert record.fields["abstract"] == "Stops"
    assert record.fields["temporal_start"] == date(2020, 1, 1)
    assert record.fields["contact_email"] == "one@city.example"


def test_an_identifier_by_notation(book: CodeBook) -> None:
    given = {"schemaAgency": "NCDC", "notation": "OBS-2024", "version": "1.0"}
    assert record_from_dataset(dataset(identifier=given), book).remote_id == "NCDC OBS-2024 1.0"


def test_files_keep_their_ids_when_others_are_put_before_them(book: CodeBook) -> None:
    csv = {"title": "CSV", "downloadURL": "https://city.example/a.csv", "mediaType": "text/csv"}
    page = {"accessURL": "https://city.example/a", "format": "HTML"}
    (alone,) = record_from_dataset(dataset(distribution=csv), book).files
    both = record_from_dataset(dataset(distribution=[page, csv]), book).files
    assert (alone.remote_id, alone.format) == ("https://city.example/a.csv", "csv")
    assert alone in both
    twins = record_from_dataset(dataset(distribution=[csv, csv]), book).files
    assert len({file.remote_id for file in twins}) == 2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("text", "JSON 对象"),
        ({"title": "无标识"}, "identifier"),
        ({"identifier": "a", "title": " "}, "title"),
    ],
)
def test_a_faulty_one_says_what_is_missing(bad: Any, message: str, book: CodeBook) -> None:
    with pytest.raises(ValueError, match=message):
        record_from_dataset(bad, book)


@pytest.mark.parametrize("odd", [None, 7, [], {}, [[]], {"@value": {}}, "R/PT1S", "不是日期"])
def test_odd_values_are_passed_over(odd: Any, book: CodeBook) -> None:
    keys = (
        "keyword", "modified", "issued", "publisher", "contactPoint", "accessLevel", "license",
        "temporal", "accrualPeriodicity", "theme", "spatial", "distribution", "rights",
    )  # fmt: skip
    record = record_from_dataset(dataset(**dict.fromkeys(keys, odd)), book)
    assert record.fields["title"] == "公交站点"


def test_data_sets_stand_in_catalogues_and_series() -> None:
    inner = {"dataset": [{"n": 2}], "catalog": [{"dataset": [{"n": 3}]}]}
    document = {
        "dataset": [{"n": 1}],
        "catalog": [inner],
        "datasetSeries": [{"seriesMember": [{"n": 4}], "first": {"n": 4}}],
    }
    assert [(place, found["n"]) for place, found in datasets_of(document)] == [
        ("dataset[0]", 1),
        ("datasetSeries[0].seriesMember[0]", 4),
        ("catalog[0].dataset[0]", 2),
        ("catalog[0].catalog[0].dataset[0]", 3),
    ]


@pytest.mark.parametrize("document", [{}, "text", {"dataset": "text"}, {"dataset": []}])
def test_what_is_no_catalogue_fails(document: Any) -> None:
    with pytest.raises(SourceFailed):
        list(datasets_of(document))


def test_a_document_may_be_in_gb18030_or_utf_16() -> None:
    text = '{"dataset": [{"title": "公交"}]}'
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        assert read_document(whole(text.encode(encoding)))["dataset"][0]["title"] == "公交"


@pytest.mark.parametrize("content", [b"<html>", b'{"dataset": [', b"[" * 100_000])
def test_what_is_no_json_fails(content: bytes) -> None:
    with pytest.raises(SourceFailed):
        read_document(whole(content))
