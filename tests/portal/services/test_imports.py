"""Whole packages brought in by a Bureau administrator: nothing is lost, everything is recorded."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.errors import Conflict, Forbidden, Gone, Invalid, PortalError
from portal.models import AuditEvent, CatalogueEntry, IndexRequest, Notice, OpenListEntry
from portal.models.distribution import list_distributions
from portal.models.former_slug import find_renamed_entry
from portal.platform import Platform
from portal.services.content import content_of
from portal.services.entries import EntryService
from portal.services.imports import Imported, PackageImporter, import_package
from portal.services.package_document import package_dict
from tests.factories import Catalogue, People
from tests.portal.api.packages import foreign_package

SOURCE = {"source": "测试", "reason": "验证导入"}


def bring(platform: Platform, session: Session, people: People, package: Any) -> CatalogueEntry:
    done = import_package(session, platform.clock, people.admin, package, **SOURCE)
    session.flush()
    return done.entry


def shown(session: Session, entry: CatalogueEntry) -> dict[str, Any]:
    return package_dict(session, entry)


def extras(package: dict[str, Any]) -> dict[str, Any]:
    return {extra["key"]: extra["value"] for extra in package["extras"]}


def test_export_of_an_import_loses_nothing(
    platform: Platform, session: Session, people: People
) -> None:
    package = foreign_package()
    found = shown(session, bring(platform, session, people, package))
    for key, value in package.items():
        if key == "extras":
            assert extras(package).items() <= extras(found).items()
        elif key in ("tags", "groups", "resources"):
            for one, other in zip(value, found[key], strict=True):
                assert one.items() <= other.items()
        else:
            assert found[key] == value, key


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("license_id", "some-unknown-licence"),
        ("license_id", None),
        ("notes", ""),
        ("notes", None),
        ("title", "  前后有空格  "),
        ("version", None),
        ("type", "showcase"),
        ("maintainer", '{"name": "某人"}'),
        ("tags", [{"name": "词", "vocabulary_id": "v1"}]),
        ("groups", [{"name": "unknown-group", "title": "未知"}]),
        (
            "resources",
            [{"id": "r-1", "name": None, "url": "ftp://x/y", "format": "GeoTIFF", "size": "5"}],
        ),
        ("resources", [{"id": "r-2", "url": "javascript:alert(1)", "extra": {"deep": [1]}}]),
        ("extras", [{"key": "issued", "value": "2020-01-01"}, {"key": "language", "value": "en"}]),
        (
            "extras",
            [{"key": "publisher_name", "value": "下属单位"}, {"key": "theme", "value": "海洋"}],
        ),
        ("extras", [{"key": "modified", "value": "2020-01-01T08:00:00+08:00"}]),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_odd_values_come_back_as_they_came(
    platform: Platform, session: Session, people: People, field: str, value: Any
) -> None:
    found = shown(session, bring(platform, session, people, foreign_package(**{field: value})))
    if field == "extras":
        assert {e["key"]: e["value"] for e in value}.items() <= extras(found).items()
    elif isinstance(value, list):
        assert value[0].items() <= found[field][0].items()
    elif field == "notes":
        assert not found["notes"]
    else:
        assert found[field] == value


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_addresses_that_no_page_may_link_to_are_data_only(
    platform: Platform, session: Session, people: People
) -> None:
    package = foreign_package(resources=[{"id": "r", "url": "javascript:alert(1)"}])
    entry = bring(platform, session, people, package)
    assert list_distributions(session, entry.id)[0].url == ""


def test_it_is_published_recorded_told_and_to_be_indexed(
    platform: Platform, session: Session, people: People
) -> None:
    people.bureau  # noqa: B018  (somebody to be told)
    entry = bring(platform, session, people, foreign_package())
    version = entry.published_version
    assert version is not None
    assert (version.state, entry.needs_second_look, entry.metadata_profile) == (
        "published", True, "foreign-1",
    )  # fmt: skip
    events = session.scalars(select(AuditEvent.event).where(AuditEvent.entry_id == entry.id)).all()
    assert sorted(events) == ["import", "import", "start"]
    assert session.get(IndexRequest, entry.id) is not None
    assert session.scalar(select(OpenListEntry.state)) == "open"
    assert session.scalar(select(func.count(Notice.id))) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_states_another_openness_is_not_opened(
    platform: Platform, session: Session, people: People
) -> None:
    for extra in (
        {"key": "jl_open_type", "value": "none"},
        {"key": "jl_open_state", "value": "suspended"},
        {"key": "jl_metadata_profile", "value": "jl-1"},
    ):
        bring(platform, session, people, foreign_package(extras=[extra]))
    assert session.scalar(select(func.count(OpenListEntry.id))) == 0


def test_only_an_administrator_imports(
    platform: Platform, session: Session, people: People
) -> None:
    for actor in (people.editor, people.department, people.bureau, people.stranger):
        with pytest.raises(Forbidden):
            import_package(session, platform.clock, actor, foreign_package(), **SOURCE)


def test_again_unchanged_newer_and_older(
    platform: Platform, session: Session, people: People
) -> None:
    package = foreign_package()
    importer = PackageImporter(session, platform.clock, people.admin, **SOURCE)
    entry = importer.add(package).entry
    assert importer.add(package).outcome == "unchanged"
    assert len(session.scalars(select(CatalogueEntry)).all()) == 1
    newer = {**package, "notes": "新的说明", "metadata_modified": "2025-03-01T00:00:00"}
    assert importer.add(newer).outcome == "updated"
    assert shown(session, entry)["metadata_modified"] == "2025-03-01T00:00:00.000000"
    with pytest.raises(Conflict):
        importer.add({**package, "notes": "更旧的说明"})


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_draft_a_revision_and_a_retired_entry_are_not_overwritten(
    platform: Platform, session: Session, people: People, catalogue: Catalogue
) -> None:
    importer = PackageImporter(session, platform.clock, people.admin, **SOURCE)
    draft = catalogue.draft().entry
    with pytest.raises(Conflict):
        importer.update(draft, {"title": "x"})
    entry = importer.add(foreign_package()).entry
    EntryService(session, platform.clock).retire(
        people.admin, entry, reason="测试", consequences_shown=True
    )
    with pytest.raises(Gone):
        importer.update(entry, {"title": "x"})


def test_many_at_once_each_with_its_outcome(
    platform: Platform, session: Session, people: People
) -> None:
    good, twin = foreign_package(), foreign_package()
    twin["name"] = good["name"]
    packages = [good, {"title": ""}, twin, foreign_package(private=True), foreign_package()]
    done = PackageImporter(session, platform.clock, people.admin, **SOURCE).add_many(packages)
    kinds = [one.outcome if isinstance(one, Imported) else type(one) for one in done]
    assert kinds == ["created", Invalid, Invalid, Invalid, "created"]
    refused = [one for one in done if isinstance(one, PortalError)]
    assert [getattr(one, "defects")[0].field for one in refused] == ["title", "name", "private"]  # noqa: B009
    codes = session.scalars(select(CatalogueEntry.code)).all()
    assert len(set(codes)) == 2


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_our_own_codes_come_back_and_are_never_given_again(
    platform: Platform, session: Session, people: People, catalogue: Catalogue
) -> None:
    code = "307022220000006/000007"
    package = foreign_package(
        name="jl-307022220000006-000007",
        owner_org="jl-tra",
        extras=[{"key": "identifier", "value": code}],
    )
    entry = bring(platform, session, people, package)
    assert entry.code == code
    serial = catalogue.organisation().serial
    made = [catalogue.draft().entry.code for _ in range(8)]
    assert code not in made or serial != "006"
    other = bring(platform, session, people, foreign_package())
    assert extras(shown(session, other))["jl_code"] == other.code


def test_the_mapping_keeps_fields(platform: Platform, session: Session, people: People) -> None:
    entry = bring(platform, session, people, foreign_package())
    version = entry.published_version
    assert version is not None
    content = content_of(version)
    assert (content.theme, content.update_frequency, content.open_type) == (
        "environment", "daily", "unconditional",
    )  # fmt: skip
    assert content.keywords == ("空气质量", "PM2.5")
    assert isinstance(people.admin, Actor)


def test_a_former_name_leads_on_and_is_given_to_nobody_else(
    platform: Platform, session: Session, people: People
) -> None:
    entry = bring(platform, session, people, foreign_package(name="alte-adresse"))
    package = foreign_package(name="neue-adresse", id=entry.public_id, metadata_modified=None)
    bring(platform, session, people, package)
    assert entry.slug == "neue-adresse"
    found = find_renamed_entry(session, "alte-adresse")
    assert found is not None
    assert found.id == entry.id
    other = foreign_package(name="dritte", title="另一条", metadata_modified=None)
    third = bring(platform, session, people, other)
    with pytest.raises(Invalid, match="提交的内容有误"):
        bring(platform, session, people, {**other, "name": "alte-adresse"})
    assert third.slug == "dritte"
    bring(platform, session, people, {**package, "name": "alte-adresse"})
    assert entry.slug == "alte-adresse"
    assert find_renamed_entry(session, "alte-adresse") is None
