"""Judgements and collections as files."""

from __future__ import annotations

import json

import pytest

from search.judgement_files import (
    FaultyFile,
    document_of,
    read_collection,
    read_judgements,
    record_of,
)
from tests.search.documents import catalogue
from tests.search.judgements import CATALOGUE


def test_queries_know_their_kind_and_split_when_a_file_beside_says_so(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("query,code,grade\n公交,a,3\n公交,b,0\n水质,c,2\n", encoding="utf-8")
    beside = tmp_path / "own.queries.csv"
    beside.write_text("query,kind,split\n公交,topical,tuning\n", encoding="utf-8")
    bus, water = read_judgements(path)
    assert (bus.grades, bus.kind, bus.split) == ({"a": 3, "b": 0}, "topical", "tuning")
    assert (water.kind, water.split) == ("", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("query,code\n公交,a\n", "no column grade"),
        ("query,code,grade\n公交,a,4\n", "row 2"),
        ("query,code,grade\n公交,a,3\n,b,1\n", "row 3"),
        ("query,code,grade\n", "no judgement"),
    ],
)
def test_a_faulty_file_of_judgements_is_named(text, said, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyFile, match=said):
        read_judgements(path)


def test_a_document_survives_being_written_and_read():
    for document in catalogue():
        read = document_of(json.loads(json.dumps(record_of(document))))
        assert record_of(read) == record_of(document)


def test_a_faulty_line_of_a_collection_is_named(tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_text('{"id": 1, "code": "a", "title": "公交"}\n{"id": 2}\n', encoding="utf-8")
    with pytest.raises(FaultyFile, match="line 2"):
        list(read_collection(path))


def test_the_judged_queries_of_the_repository_fit_their_collection():
    queries = read_judgements(CATALOGUE)
    documents = list(read_collection(CATALOGUE.with_suffix(".jsonl")))
    codes = {document.code for document in documents}
    assert len(queries) >= 120
    assert len(codes) == len(documents)
    assert all(query.kind and query.split for query in queries)
    assert {code for query in queries for code in query.grades} <= codes
    held_out = sum(query.split == "held_out" for query in queries)
    assert held_out == pytest.approx(len(queries) / 3, abs=5)
