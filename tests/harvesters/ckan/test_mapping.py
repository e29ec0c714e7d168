"""CKAN packages in our words, and nothing of them lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from harvesters.ckan.extras import EXTRA_RULES
from harvesters.ckan.mapping import record_from_package
from harvesters.codes import CodeBook
from harvesters.record import BESIDE_CONTENT, HarvestedRecord
from portal.services.content import parse_content
from tests.harvesters.packages import package

SAMPLES = Path(__file__).parents[1] / "samples"
SHARED = Path(__file__).parents[4] / "shared"


def extras(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def fields_of(book: CodeBook, **changes: Any) -> Mapping[str, Any]:
    return record_from_package(package(1, **changes), book).fields


def test_the_core_of_a_package(book: CodeBook) -> None:
    record = record_from_package(
        package(
            7,
            title="公交站点",
            notes="说明",
            tags=[{"name": "公交", "vocabulary_id": None}, {"name": "站点"}],
            groups=[{"name": "transport", "title": "交通运输"}, {"name": "local", "title": "本地"}],
            license_id="CC-BY-4.0",
            maintainer="信息处",
            organization={"title": "省交通运输厅", "name": "jl-tra"},
        ),
        book,
        place="result[7]",
    )
    assert (record.remote_id, record.name, record.place) == ("id-0007", "name-0007", "result[7]")
    assert record.modified == datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC)
    assert record.fields == {
        "title": "公交站点",
        "abstract": "说明",
        "keywords": ("公交", "站点"),
        "theme": "transport",
        "licence": "cc-by-4.0",
        "contact_name": "信息处",
        "provider_name": "省交通运输厅",
    }
    assert record.foreign["groups"] == [{"name": "local", "title": "本地"}]
    assert record.foreign["license_id"] == "CC-BY-4.0"


def test_another_xiangyun_says_everything(book: CodeBook) -> None:
    items = [
        {"order": 1, "name": "站点", "field_name": "stop", "data_type": "string", "length": 50},
        {"name": "首班车", "field_name": "first", "open": False},
    ]
    basis = [{"kind": "law", "title": "某法", "article": "第三条"}]
    fields = fields_of(
        book,
        extras=extras(
            identifier="307022220000015/000123",
            issued="2026-03-12",
            modified="2026-03-12T08:00:00+08:00",
            frequency="weekly",
            temporal_start="2025-01-01",
            access_rights="RESTRICTED",
            jl_open_type="conditional",
            jl_open_condition="仅供研究",
            jl_open_condition_ground='["capability"]',
            jl_share_type="unconditional",
            jl_share_mode='["interface", "file"]',
            jl_share_basis=json.dumps(basis),
            jl_region="220100",
            jl_responsible_dept="JL-EDU",
            jl_items=json.dumps(items),
            jl_title_en="Stops",
        ),
    )
    assert fields["code"] == "307022220000015/000123"
    assert fields["issued"] == date(2026, 3, 12)
    assert fields["data_modified"] == datetime(2026, 3, 12, tzinfo=UTC)
    assert fields["open_type"] == "conditional"
    assert fields["open_condition_ground"] == ("capability",)
    assert fields["share_mode"] == ("interface", "file")
    assert fields["share_basis"] == tuple(basis)
    assert (fields["region"], fields["responsible_dept"]) == ("220100", "JL-EDU")
    assert fields["items"] == (items[0], {"order": 2, **items[1]})
    content = parse_content({k: v for k, v in fields.items() if k not in BESIDE_CONTENT})
    assert content.items[1].open is False


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("daily", "daily"),
        ("每天", "daily"),
        ("R/P1Y", "annual"),
        ("http://publications.europa.eu/resource/authority/frequency/MONTHLY", "monthly"),
        ("sometimes", None),
    ],
)
def test_frequencies(book: CodeBook, text: str, code: str | None) -> None:
    record = record_from_package(package(1, extras=extras(frequency=text)), book)
    assert record.fields.get("update_frequency") == code
    assert ("extras" in record.foreign) == (text != code)


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"license_id": "cc-zero"}, "cc0-1.0"),
        ({"license_id": "ODC-BY-1.0"}, "odc-by-1.0"),
        (
            {"license_id": "cc-by", "license_url": "https://creativecommons.org/licenses/by/4.0/"},
            "cc-by-4.0",
        ),
        ({"license_id": "cc-by"}, None),
        ({"license_id": "other-open"}, None),
        ({"license_id": None}, None),
    ],
)
def test_licences_are_mapped_only_when_the_version_is_certain(
    book: CodeBook, stated: dict[str, Any], code: str | None
) -> None:
    assert fields_of(book, **stated).get("licence") == code


def test_files(book: CodeBook) -> None:
    resource = {
        "id": "r1",
        "name": "站点",
        "url": "https://example.cn/stops.csv",
        "description": "",
        "format": "CSV",
        "mimetype": "text/csv",
        "size": 120,
        "hash": "sha256:" + "AB" * 32,
        "last_modified": "2026-01-02T00:00:00",
        "datastore_active": True,
    }
    record = record_from_package(package(1, resources=[resource]), book)
    (file,) = record.files
    assert (file.remote_id, file.name, file.url) == ("r1", "站点", "https://example.cn/stops.csv")
    assert (file.format, file.media_type, file.size_bytes) == ("csv", "text/csv", 120)
    assert file.sha256 == "ab" * 32
    assert file.modified == datetime(2026, 1, 2, tzinfo=UTC)
    assert file.foreign["datastore_active"] is True
    assert file.foreign["format"] == "CSV"
    assert record.fields["format"] == ("csv",)
    assert record.fields["open_type"] == "unconditional"


def test_an_unknown_format_is_kept_as_it_is(book: CodeBook) -> None:
    record = record_from_package(package(1, resources=[{"id": "1", "format": "Zarr"}]), book)
    assert record.files[0].format == "Zarr"
    assert "format" not in record.fields


def test_private_packages_are_not_called_open(book: CodeBook) -> None:
    resource = {"id": "1", "url": "https://example.cn/x"}
    assert "open_type" not in fields_of(book, private=True, resources=[resource])


def test_a_maintainer_in_json_is_no_office(book: CodeBook) -> None:
    assert "contact_name" not in fields_of(book, maintainer='{"name": "somebody"}')


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("text", "不是 JSON 对象"),
        ({"title": "无 id"}, "缺少 id"),
        ({"id": "1", "title": " "}, "缺少标题"),
    ],
)
def test_what_cannot_be_a_record_says_why(book: CodeBook, broken: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        record_from_package(broken, book)


@pytest.mark.parametrize(
    "odd",
    [
        {"extras": None, "tags": None, "resources": None, "groups": None},
        {"extras": ["x"], "tags": ["x"], "resources": ["x"], "groups": ["x"]},
        {"extras": [{"key": "jl_items", "value": "[1]"}, {"key": "issued", "value": "soon"}]},
        {"extras": [{"key": "jl_items", "value": {"a": 1}}, {"key": None}]},
        {"metadata_modified": 5, "organization": "x", "notes": 7, "license_id": ["x"]},
    ],
)
def test_odd_shapes_do_no_harm(book: CodeBook, odd: dict[str, Any]) -> None:
    assert record_from_package(package(1, **odd), book).fields["title"] == "数据集 1"


def given_back(record: HarvestedRecord) -> dict[str, Any]:
    """Put a package together again: what the fields say under CKAN's names, and `foreign`."""
    fields = dict(record.fields)
    back: dict[str, Any] = {"id": record.remote_id, "name": record.name, "title": fields["title"]}
    back |= {"notes": fields["abstract"]} if "abstract" in fields else {}
    back |= {"license_id": fields.get("licence"), "maintainer": fields.get("contact_name")}
    back |= {"maintainer_email": fields.get("contact_email"), **record.foreign}
    said = {
        key: rule.write(fields[rule.field])
        for key, rule in EXTRA_RULES.items()
        if rule.field in fields
    }
    texts = {k: json.dumps(v) if isinstance(v, list) else v for k, v in said.items()}
    texts |= {extra["key"]: extra["value"] for extra in record.foreign.get("extras", [])}
    back["extras"] = texts
    back["tags"] = {
        *fields.get("keywords", ()),
        *(t["name"] for t in record.foreign.get("tags", [])),
    }
    themes = {t for t in (fields.get("theme"), *fields.get("more_themes", ())) if t}
    back["groups"] = themes | {group["name"] for group in record.foreign.get("groups", [])}
    back["resources"] = [
        {
            "id": file.remote_id,
            "name": file.name,
            "url": file.url,
            "description": file.description,
            "format": file.format,
            "mimetype": file.media_type,
            **file.foreign,
        }
        for file in record.files
    ]
    return back


def assert_nothing_lost(source: Mapping[str, Any], book: CodeBook) -> None:
    back = given_back(record_from_package(source, book))
    for key, value in source.items():
        if key == "extras":
            for extra in value:
                assert _same(back["extras"][extra["key"]], extra["value"])
        elif key in ("tags", "groups"):
            assert {entry["name"] for entry in value} <= back[key]
        elif key == "resources":
            for old, new in zip(value, back[key], strict=True):
                assert {k: new.get(k) for k in old} == old
        else:
            assert back.get(key) == value


def _same(new: Any, old: Any) -> bool:
    return bool(new == old or json.loads(new) == json.loads(old))


def test_nothing_of_a_real_answer_is_lost(book: CodeBook) -> None:
    answer = json.loads((SAMPLES / "ckan-2.12-package_search.json").read_text("utf-8"))
    for source in answer["result"]["results"]:
        assert_nothing_lost(source, book)
        record = record_from_package(source, book)
        assert record.fields["theme"] == "energy"
        assert record.fields["update_frequency"] == "irregular"
        assert record.fields["provider_name"] == "吉林省农业农村厅"


def test_nothing_of_another_xiangyun_is_lost(book: CodeBook) -> None:
    assert_nothing_lost(
        package(
            1,
            groups=[{"name": "transport"}, {"name": "living"}, {"name": "unknown"}],
            tags=[{"name": "公交"}, {"name": "v", "vocabulary_id": "1"}],
            license_id="cc-by-4.0",
            extras=extras(
                identifier="1",
                issued="2026-03-12",
                modified="2026-03-12T08:00:00+08:00",
                frequency="http://publications.europa.eu/resource/authority/frequency/DAILY",
                jl_open_type="none",
                access_rights="NON_PUBLIC",
                jl_items='[{"name": "甲", "order": 1, "unknown": 2}]',
                jl_closed_ground='["privacy"]',
                own_key="kept",
                theme='["https://example.cn/themes/transport"]',
            ),
        ),
        book,
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason="real answers are not at hand")
def test_nothing_of_real_portals_is_lost(book: CodeBook) -> None:
    folder = SHARED / "data" / "ckan-api-responses-a"
    found = json.loads((folder / "tests/fixtures/package_search.json").read_text("utf-8"))
    single = json.loads((folder / "package_show.json").read_text("utf-8"))
    wire = json.loads((SHARED / "reference/ckan-answers/package_search.json").read_text("utf-8"))
    for source in [*found["result"]["results"], single["result"], *wire["result"]["results"]]:
        assert_nothing_lost(source, book)
