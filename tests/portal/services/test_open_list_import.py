"""An agency uploads its own open list: all rows or none, every faulty row named."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.errors import Forbidden, Invalid
from portal.models import CatalogueEntry, EntryVersion
from portal.models.distribution import list_distributions
from portal.models.entry import find_unfinished_version, get_version
from portal.platform import Platform
from portal.services.content import content_of
from portal.services.open_list_import import (
    ImportResult,
    import_open_list,
    open_list_template,
)
from tests.factories import Catalogue, People

HEADER = "信息资源代码,数据集名称,提供单位,更新周期,开放类型,采集方式,数据摘要,下载地址"
Import = Callable[..., ImportResult]


@pytest.fixture
def upload(platform: Platform, session: Session, people: People, catalogue: Catalogue) -> Import:
    def run(*rows: str, header: str = HEADER) -> ImportResult:
        data = "\n".join([header, *rows]).encode()
        provider = catalogue.organisation()
        return import_open_list(session, platform.clock, people.editor, data, "清单.csv", provider)

    return run


def places(error: Invalid) -> list[str]:
    return [defect.field for defect in error.defects]


def test_each_row_becomes_a_draft_with_its_gaps_as_warnings(
    session: Session, upload: Import
) -> None:
    result = upload(
        ",公交站点,吉林省交通运输厅,每月,无条件开放,履职产生,说明,https://data.example.cn/a.csv",
        ",公交线路,,每年,无条件开放,,,",
    )
    assert [row.outcome for row in result.rows] == ["created", "created"]
    first = get_version(session, result.rows[0].version_id)
    assert (first.state, first.title, first.update_frequency) == ("draft", "公交站点", "monthly")
    assert {w.field for w in result.rows[0].warnings} >= {"theme", "items"}
    (link,) = list_distributions(session, first.entry_id)
    assert link.url == "https://data.example.cn/a.csv"


def test_all_rows_or_none(session: Session, upload: Import) -> None:
    with pytest.raises(Invalid) as caught:
        upload(
            ",好的一行,,每月,无条件开放,履职产生,,",
            ",周期读不出,,每三天半,无条件开放,履职产生,,",
            ",共享来的,,每月,无条件开放,共享获取,,",
            ",别家的,吉林省卫生健康委员会,每月,无条件开放,履职产生,,",
            "999/1,没有这个代码,,每月,无条件开放,履职产生,,",
        )
    assert places(caught.value) == ["第 3 行", "第 4 行", "第 5 行", "第 6 行"]
    texts = [defect.text() for defect in caught.value.defects]
    assert "每三天半" in texts[0]
    assert "第29条" in texts[1]
    assert "卫生健康" in texts[2]
    assert "999/1" in texts[3]
    assert session.scalar(select(func.count(CatalogueEntry.id))) == 0
    assert session.scalar(select(func.count(EntryVersion.id))) == 0


def test_a_row_with_a_code_changes_the_open_draft(session: Session, upload: Import) -> None:
    (made,) = upload(",公交站点,,每月,无条件开放,履职产生,原来的说明,").rows
    (again,) = upload(f"{made.code},公交站点,,每年,无条件开放,履职产生,,").rows
    assert (again.outcome, again.version_id) == ("updated", made.version_id)
    content = content_of(get_version(session, made.version_id))
    assert (content.update_frequency, content.abstract) == ("annual", "原来的说明")
    (same,) = upload(f"{made.code},公交站点,,每年,无条件开放,履职产生,,").rows
    assert same.outcome == "unchanged"


def test_a_list_sent_in_twice_makes_nothing_twice(upload: Import) -> None:
    (made,) = upload(",公交站点,,每月,无条件开放,履职产生,,").rows
    with pytest.raises(Invalid, match="清单有误") as caught:
        upload(",公交站点,,每月,无条件开放,履职产生,,")
    assert made.code in caught.value.defects[0].text()


def test_a_published_entry_is_revised_by_its_department(
    session: Session, platform: Platform, catalogue: Catalogue, people: People
) -> None:
    entry = catalogue.published()
    assert entry.published_version is not None
    data = f"信息资源代码,数据集名称,更新周期\n{entry.code},{entry.published_version.title},每日\n"
    result = import_open_list(
        session, platform.clock, people.department, data.encode(), "清单.csv", entry.provider
    )
    draft = find_unfinished_version(session, entry.id)
    assert draft is not None
    assert (result.count("updated"), draft.id) == (1, result.rows[0].version_id)
    assert draft.update_frequency == "daily"
    assert content_of(draft).items == content_of(entry.published_version).items
    assert entry.is_public


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01\x02binary", b"<!DOCTYPE html><html></html>", b"a,b\n1,2\n"]
)
def test_what_is_no_list_is_refused(
    session: Session, platform: Platform, catalogue: Catalogue, people: People, data: bytes
) -> None:
    with pytest.raises(Invalid) as caught:
        import_open_list(
            session, platform.clock, people.editor, data, "x.csv", catalogue.organisation()
        )
    assert places(caught.value) == ["file"]


def test_only_for_the_own_organisation(
    session: Session, platform: Platform, catalogue: Catalogue, people: People
) -> None:
    with pytest.raises(Forbidden):
        import_open_list(
            session, platform.clock, people.editor, b"x", "x.csv", catalogue.organisation("JL-HEA")
        )


def test_the_template_is_a_workbook_with_the_sheets_to_fill_in() -> None:
    book = load_workbook(io.BytesIO(open_list_template()))
    assert book.sheetnames[:2] == ["开放清单", "信息项"]
