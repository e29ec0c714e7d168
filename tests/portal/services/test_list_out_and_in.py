"""The whole list out as XLSX and in again: nothing changes by itself, and each change is shown."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import local_date
from portal.models import CatalogueEntry, ListCheck
from portal.platform import Platform
from portal.rules.entry_content import InformationItem, LegalBasis
from portal.services.accounts import actor_of
from portal.services.delegations import delegate
from portal.services.list_checking import run_check, start_check
from portal.services.list_export import export_list
from portal.services.login_sessions import acting
from portal.services.open_list_import import import_open_list
from tests.factories import TRANSPORT, Catalogue, People, conditional_content, content

BASIS = LegalBasis(
    "rule", "某某管理办法", "省政府令第1号", "第三条", "原文摘录", "https://example.cn/1"
)


def _three(catalogue: Catalogue) -> None:
    items = (
        InformationItem(1, "编号", "code", "string", 20, primary_key=True, nullable=False),
        InformationItem(2, "姓名", "name", "string", 50, personal="personal", open=False,
                        masking="mask_name", description="=公式样", unit="人", sample="张某"),
        InformationItem(3, "金额", "amount", "number", 12, 2, masking="none"),
    )  # fmt: skip
    catalogue.published(content(items=items, more_themes=("living",)))
    catalogue.draft(conditional_content(collection_basis=(BASIS, LegalBasis("consent"))))
    catalogue.draft(
        content(
            open_type="none",
            closed_ground=("law", "privacy"),
            closed_basis=(BASIS,),
            security_level="3",
            licence="",
            share_type="authorised",
            share_condition="+仅限履职",
            share_basis=(BASIS,),
        )
    )


def test_what_goes_out_comes_in_unchanged(
    session: Session, platform: Platform, catalogue: Catalogue, people: People
) -> None:
    _three(catalogue)
    provider = catalogue.organisation()
    data = export_list(session, provider)
    result = import_open_list(
        session, platform.clock, people.department, data, "清单.xlsx", provider
    )
    assert [(row.outcome, row.before == row.after) for row in result.rows] == [
        ("unchanged", True)
    ] * 3


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_check_shows_the_difference_and_writes_nothing(platform: Platform) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        _three(catalogue)
        book = load_workbook(io.BytesIO(export_list(session, catalogue.organisation())))
        sheet = book["开放清单"]
        place = {cell.value: cell.column for cell in sheet[1]}
        sheet.cell(2, place["更新周期"], "每周")
        rows = [["" for _ in place] for _ in range(2)]
        for row in rows:
            row[place["数据集名称"] - 1] = "同名的新目录"
        rows[1][place["提供单位"] - 1] = "吉林省交通运输厅"
        for row in rows:
            sheet.append(row)
        data = io.BytesIO()
        book.save(data)
        stored = platform.storage.put(io.BytesIO(data.getvalue()))
        check = start_check(
            session, platform.clock, people.department, catalogue.organisation(),
            sha256=stored.sha256, filename="清单.xlsx",
        )  # fmt: skip
        check_id = check.id
    run_check(platform.database, platform.storage, platform.clock, check_id)
    run_check(platform.database, platform.storage, platform.clock, check_id)
    with platform.database.reading() as session:
        found = session.get(ListCheck, check_id)
        assert found is not None
        assert (found.stage, found.rows_done, found.rows_total) == ("done", 5, 5)
        outcomes = [row["outcome"] for row in found.result["rows"]]
        assert outcomes == ["updated", "unchanged", "unchanged", "created"]
        changed = found.result["rows"][0]
        assert changed["before"]["update_frequency"] == "monthly"
        assert changed["after"]["update_frequency"] == "weekly"
        (twice,) = found.result["defects"]
        assert "同名的新目录" in twice["message"]
        assert session.scalar(select(func.count(CatalogueEntry.id))) == 3


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_check_by_a_substitute_finds_what_the_import_will(platform: Platform) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        provider = catalogue.organisation()
        away = people.account("responsible_dept", TRANSPORT)
        substitute = people.account("agency_security_officer", TRANSPORT)
        today = local_date(platform.clock())
        delegate(
            session, platform.clock, actor_of(away), away,
            substitute_id=substitute.id, starts_on=today, ends_on=today, reason="出差",
        )  # fmt: skip
        text = "数据集名称,提供单位\n代理人编制的目录,吉林省交通运输厅\n".encode()
        stored = platform.storage.put(io.BytesIO(text))
        check_id = start_check(
            session, platform.clock, acting(session, platform.clock, substitute), provider,
            sha256=stored.sha256, filename="清单.csv",
        ).id  # fmt: skip
    run_check(platform.database, platform.storage, platform.clock, check_id)
    with platform.database.reading() as session:
        found = session.get(ListCheck, check_id)
        assert found is not None
        assert [row["outcome"] for row in found.result["rows"]] == ["created"]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_file_that_is_no_list_fails_with_its_reason(platform: Platform) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        provider = Catalogue(platform, session, people).organisation(TRANSPORT)
        stored = platform.storage.put(io.BytesIO(b"<html></html>"))
        check_id = start_check(
            session, platform.clock, people.department, provider,
            sha256=stored.sha256, filename="x.xlsx",
        ).id  # fmt: skip
    run_check(platform.database, platform.storage, platform.clock, check_id)
    with platform.database.reading() as session:
        found = session.get(ListCheck, check_id)
        assert found is not None
        assert found.stage == "failed"
        assert found.result["defects"][0]["field"] == "file"
