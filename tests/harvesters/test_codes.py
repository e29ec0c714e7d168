"""Words to codes, and the tables behind it."""

from __future__ import annotations

import pytest

from harvesters.codes import CodeBook, data_rows, plain_word
from harvesters.open_list.fields import ITEM_FIELDS, LIST_FIELDS
from harvesters.record import BESIDE_CONTENT
from portal.rules.entry_content import EntryContent, InformationItem


@pytest.mark.parametrize("text", ["每日", "daily", " DAILY ", "每 天", "ＤＡＩＬＹ", "R/P1D"])
def test_a_code_its_name_and_its_synonyms(book: CodeBook, text: str) -> None:
    assert book.find("update_frequency", text) == "daily"


def test_unknown_words_and_lists(book: CodeBook) -> None:
    assert book.find("update_frequency", "每百年") is None
    assert book.find("no_such_list", "x") is None


def test_a_name_of_two_codes_stands_for_none() -> None:
    book = CodeBook({"regions": {"1": "朝阳区", "2": "朝阳区", "3": "南关区"}})
    assert book.find("regions", "朝阳区") is None
    assert book.find("regions", "南关区") == "3"
    assert book.find("regions", "1") == "1"


def test_a_department_may_be_called_of_the_province(book: CodeBook) -> None:
    assert book.find("departments", "省教育厅") == "JL-EDU"


def test_every_synonym_leads_to_a_code_that_exists(book: CodeBook) -> None:
    for row in data_rows("code_synonyms"):
        assert book.find(row["list"], row["synonym"]) == row["code"], row


def test_no_heading_means_two_fields() -> None:
    seen = [(row["sheet"], plain_word(row["heading"])) for row in data_rows("open_list_columns")]
    assert len(seen) == len(set(seen))


def test_every_column_is_a_field_of_an_entry_or_stands_beside_it() -> None:
    known = set(EntryContent.__dataclass_fields__) | BESIDE_CONTENT | {"file_urls", "item_names"}
    assert set(LIST_FIELDS) <= known
    assert set(ITEM_FIELDS) <= set(InformationItem.__dataclass_fields__) | {"title", "code"}
    for row in data_rows("open_list_columns"):
        assert row["field"] in (LIST_FIELDS if row["sheet"] == "list" else ITEM_FIELDS)
