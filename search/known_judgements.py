"""Public sets of judged queries, and a crawled catalogue, in the form in which others give them out.

Two folders are known: OpenDataBench (London Datastore, CC BY 4.0) and the search indicator of
data.gouv.fr (MIT, Etalab). None of them lies in this repository.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.document import SearchDocument
from search.evaluation import SOUGHT, JudgedQuery
from search.judgement_files import FaultyFile, document_of

_LONDON = "data/evaluation_dataset_LDS.json"
_LONDON_BEST = 4  # the set grades from 1 to 4
_FRANCE = "data/datasets.csv"


@dataclass(frozen=True)
class KnownSet:
    queries: list[JudgedQuery]
    documents: list[SearchDocument]


def read_known_set(folder: Path) -> KnownSet:
    """Return the set that lies in a folder.

    Raises:
        FaultyFile: the folder holds neither of the two.
    """
    if (folder / _LONDON).exists():
        return _london(folder)
    if (folder / _FRANCE).exists():
        return _france(folder)
    raise FaultyFile(f"{folder.name}: neither OpenDataBench nor the indicator of data.gouv.fr")


def _london(folder: Path) -> KnownSet:
    """Return the opening questions; the collection is every title that any answer names."""
    talks = json.loads((folder / _LONDON).read_text(encoding="utf-8"))
    titles: dict[str, int] = {}
    queries: dict[str, JudgedQuery] = {}
    for talk in talks:
        opening = talk["turns"][0]
        truth = [one for one in opening["eval"]["ground_truth_ld"] if isinstance(one, dict)]
        grades = {one["dataset_title"]: _london_grade(one["relevance"]) for one in truth}
        for title in grades:
            titles.setdefault(title, len(titles) + 1)
        if grades:
            kind = str(opening["eval"]["type"]).lower()
            queries.setdefault(opening["user"], JudgedQuery(opening["user"], grades, kind))
    for title in _london_answers(folder):
        titles.setdefault(title, len(titles) + 1)
    documents = [document_of({"id": n, "code": t, "title": t}) for t, n in titles.items()]
    return KnownSet(list(queries.values()), documents)


def _london_grade(relevance: int) -> int:
    return max(0, int(relevance) - (_LONDON_BEST - SOUGHT))


def _london_answers(folder: Path) -> list[str]:
    """Return the titles that the London portal answered with: they make the search harder."""
    path = folder / "baselines/LDS/portals/lds_baseline.json"
    talks = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    turns = [turn for talk in talks for turn in talk.get("turns", ())]
    return [title for turn in turns for title in turn.get("top_results", ())]


def _france(folder: Path) -> KnownSet:
    """Return real queries with the one data set that ought to come first.

    The collection is what was found in 2021: full records where they are given, else titles.
    Queries are left out whose data set is in no record.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("data/*/*/queries.json")):
        for query in json.loads(path.read_text(encoding="utf-8"))["queries"]:
            if query["model"] == "Dataset":
                found |= {one["id"]: {"title": one["title"]} for one in query["items"]}
    for path in sorted(folder.glob("data/*/*/datasets/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[record["id"]] = _french_record(record)
    documents = [
        document_of({"id": number, "code": code, **record})
        for number, (code, record) in enumerate(found.items(), start=1)
    ]
    queries: dict[str, JudgedQuery] = {}
    with (folder / _FRANCE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["query"] and row["expected"] in found:
                grades = {row["expected"]: SOUGHT}
                queries[row["query"]] = JudgedQuery(row["query"], grades, "known")
    return KnownSet(list(queries.values()), documents)


def _french_record(record: dict[str, Any]) -> dict[str, Any]:
    organisation = record.get("organization") or {}
    names = (organisation.get("name"), organisation.get("acronym"))
    return {
        "title": record["title"],
        "abstract": record.get("description") or "",
        "keywords": record.get("tags") or [],
        "provider_names": [name for name in names if name],
        "item_names": [one["title"] for one in record.get("resources") or () if one.get("title")],
    }


def read_crawled(path: Path) -> Iterator[SearchDocument]:
    """Yield the records of a crawled Chinese catalogue, each title once.

    The file holds objects one after another, each with a `name` and all else in one text,
    `资源名称\\t…#资源摘要\\t…`. A code is the file's name and the place of the first record of that
    title, from 0. Titles of digits alone are what the crawler lost.

    Raises:
        FaultyFile: the file is not of that form.
    """
    seen: set[str] = set()
    for place, record in enumerate(_values(path)):
        title = str(record.get("name", "")).strip()
        if not title or title.isdigit() or title in seen:
            continue
        seen.add(title)
        parts = [part.split("\t", 1) for part in str(record.get("info", "")).strip().split("#")]
        about = {part[0]: part[1] for part in parts if len(part) == 2}
        words = re.split("[；;]", about.get("关键字说明", ""))
        provider = about.get("资源所有权单位", "")
        yield document_of(
            {
                "id": place + 1,
                "code": f"{path.stem}-{place}",
                "title": title,
                "abstract": about.get("资源摘要", ""),
                "keywords": [word for word in words if word],
                "provider_names": [provider] if provider else [],
            }
        )


def _values(path: Path) -> Iterator[dict[str, Any]]:
    text, decoder = path.read_text(encoding="utf-8").strip(), json.JSONDecoder()
    at = 0
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError as error:
            raise FaultyFile(f"{path.name}: {error}") from error
        if not isinstance(value, dict):
            raise FaultyFile(f"{path.name}: a record is no object")
        yield value
        at = end + len(text[end:]) - len(text[end:].lstrip())
