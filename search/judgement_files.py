"""Read judged queries and the collection that goes with them.

`NAME.csv` has `query,code,grade`; beside it may lie `NAME.queries.csv` with `query,kind,split` and
`NAME.jsonl`, the collection.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from search.document import SearchDocument
from search.evaluation import JudgedQuery

GRADES = ("0", "1", "2", "3")
PUBLIC = frozenset({"public"})
_START = datetime(2026, 1, 1, tzinfo=UTC)
_TEXTS = ("name", "title_en", "abstract")
_LISTS = ("keywords", "item_names", "provider_names", "sample_values")


class FaultyFile(ValueError):
    """A file of judgements or of documents is not what it should be; the row is named."""


def read_judgements(path: Path) -> list[JudgedQuery]:
    """Return the judged queries in the order of the file.

    Raises:
        FaultyFile: a column is missing, or a grade is not 0 to 3; the row is named.
    """
    grades: dict[str, dict[str, int]] = {}
    for number, row in _rows(path, ("query", "code", "grade")):
        if row["grade"] not in GRADES or not row["query"] or not row["code"]:
            raise FaultyFile(f"{path.name} row {number}: a query, a code and a grade from 0 to 3")
        grades.setdefault(row["query"], {})[row["code"]] = int(row["grade"])
    if not grades:
        raise FaultyFile(f"{path.name}: no judgement")
    about = _about(path.with_suffix(".queries.csv"))
    return [JudgedQuery(text, of, *about.get(text, ("", ""))) for text, of in grades.items()]


def _about(path: Path) -> dict[str, tuple[str, str]]:
    if not path.exists():
        return {}
    rows = _rows(path, ("query", "kind", "split"))
    return {row["query"]: (row["kind"], row["split"]) for _, row in rows}


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise FaultyFile(f"{path.name}: no column {', '.join(missing)}")
        for number, row in enumerate(reader, start=2):
            yield number, {name: (row[name] or "").strip() for name in columns}


def read_collection(path: Path) -> Iterator[SearchDocument]:
    """Yield the documents of a JSONL file, one object a line, all of them public.

    Keys are the fields of `SearchDocument`; only `id`, `code` and `title` must be there.

    Raises:
        FaultyFile: a line is no such object; it is named.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield document_of(orjson.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise FaultyFile(f"{path.name} line {number}: {error!r}") from error


def document_of(record: Mapping[str, Any]) -> SearchDocument:
    """Return the document that a record of a collection stands for.

    Raises:
        KeyError, TypeError, ValueError: the record is not of that shape.
    """
    texts: dict[str, Any] = {name: str(record.get(name, "")) for name in _TEXTS}
    lists: dict[str, Any] = {name: tuple(map(str, record.get(name, ()))) for name in _LISTS}
    facets = record.get("facets", {})
    return SearchDocument(
        id=int(record["id"]),
        version=1,
        labels=PUBLIC,
        code=str(record["code"]),
        title=str(record["title"]),
        value_score=float(record.get("value_score", 0.0)),
        created=_moment(record.get("created")),
        modified=_moment(record.get("modified")),
        facets={name: tuple(codes) for name, codes in facets.items()},
        **texts,
        **lists,
    )


def record_of(document: SearchDocument) -> dict[str, Any]:
    """Return what `document_of` reads, without empty fields."""
    record: dict[str, Any] = {
        "id": document.id,
        "code": document.code,
        "title": document.title,
        "value_score": document.value_score,
        "created": document.created.isoformat(),
        "modified": document.modified.isoformat(),
        **{name: getattr(document, name) for name in (*_TEXTS, *_LISTS)},
        "facets": {name: codes for name, codes in document.facets.items() if codes},
    }
    return {name: value for name, value in record.items() if value not in ("", (), {}, 0.0)}


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else _START
