"""What of an entry search holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.rules.entry_content import EntryContent
from portal.services.search_document import search_document
from portal.tables.info import Column, TableInfo
from search.document import SearchDocument
from tests.factories import conditional_content, content

NAMES = ("站点编码", "首末班时间")


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def document_of(session, catalogue):
    """Return the document of an entry with a parsed table of two columns."""

    def make(given: EntryContent) -> SearchDocument:
        entry = catalogue.published(given)
        data = catalogue.file(entry).current_version
        columns = tuple(Column(n, f"column_{i}", "text", "VARCHAR") for i, n in enumerate(NAMES))
        data.table = TableInfo("0" * 64, 1, 2, columns).as_dict()
        data.table_state, data.samples, data.hold = "ready", ["000123", "05:30"], ""
        session.flush()
        found = search_document(session, entry)
        assert found is not None
        return found

    return make


def test_columns_and_first_values_of_open_data_are_findable(document_of):
    document = document_of(content())
    assert {"站点名称", *NAMES} <= set(document.item_names)
    assert document.sample_values == ("000123", "05:30")
    assert "省交通运输厅" in document.provider_names


def test_no_value_of_conditional_data_is_findable(document_of):
    document = document_of(conditional_content())
    assert set(NAMES) <= set(document.item_names)
    assert document.sample_values == ()


def test_a_closed_column_hides_its_name_and_all_values(document_of):
    given = content()
    items = tuple(replace(item, open=item.name != "站点编码") for item in given.items)
    document = document_of(replace(given, items=items))
    assert "首末班时间" in document.item_names
    assert document.sample_values == ()
