"""What the command `xiangyun search evaluate` works on: judged queries and their collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from portal.errors import PortalError
from portal.services.package_input import read_foreign
from search.document import SearchDocument
from search.evaluation import JudgedQuery
from search.judgement_files import FaultyFile, document_of, read_collection, read_judgements
from search.known_judgements import read_crawled, read_known_set


@dataclass(frozen=True)
class EvaluationSet:
    queries: list[JudgedQuery]
    documents: list[SearchDocument]


def read_set(path: Path, collection: Path | None = None) -> EvaluationSet:
    """Return the judged queries of a file (or the folder of a known set) with their documents.

    Args:
        collection: JSON lines, each a search document or a CKAN package, or a crawled `.json`;
            None: the file `NAME.jsonl` beside `NAME.csv`.

    Raises:
        FaultyFile: what is wrong, and in which line.
    """
    if path.is_dir():
        known = read_known_set(path)
        return EvaluationSet(known.queries, known.documents)
    beside = collection or path.with_suffix(".jsonl")
    if not beside.exists():
        raise FaultyFile(f"{path.name}: no {beside.name} beside it; name one with --collection")
    return EvaluationSet(read_judgements(path), _documents(beside))


def _documents(path: Path) -> list[SearchDocument]:
    if path.suffix == ".json":
        return list(read_crawled(path))
    with path.open("rb") as file:
        first = file.readline()
    try:
        is_package = "value_score" not in (record := orjson.loads(first)) and "code" not in record
    except ValueError as error:
        raise FaultyFile(f"{path.name} line 1: {error}") from error
    return list(_packages(path) if is_package else read_collection(path))


def _packages(path: Path) -> Iterator[SearchDocument]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield package_document(number, orjson.loads(line))
            except (PortalError, ValueError) as error:
                raise FaultyFile(f"{path.name} line {number}: {error}") from error


def package_document(number: int, package: Mapping[str, Any]) -> SearchDocument:
    """Return what search holds of a CKAN package, as far as the package alone says it.

    Raises:
        Invalid: it is no package.
    """
    read = read_foreign(package)
    content, provider = read.content, package.get("organization") or {}
    names = (provider.get("title"), provider.get("name"))
    return document_of(
        {
            "id": number,
            "code": read.beside.get("code") or read.name or read.public_id,
            "name": read.name,
            "title": content.title,
            "title_en": content.title_en,
            "abstract": content.abstract,
            "keywords": content.keywords,
            "item_names": [item.name for item in content.items],
            "provider_names": [name for name in names if name],
        }
    )
