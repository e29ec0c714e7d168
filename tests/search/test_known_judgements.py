"""Sets of others, in a small made copy of their form; the real ones where they lie beside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.judgement_files import FaultyFile, read_judgements
from search.known_judgements import read_crawled, read_known_set
from tests.search.judgements import CATALOGUE

SHARED = Path(__file__).parents[3] / "shared" / "data"


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def test_london_asks_its_opening_questions(tmp_path):
    truth = [
        {"dataset_title": "House Prices", "relevance": 4},
        {"dataset_title": "Earnings", "relevance": 1},
    ]
    opening = {"user": "prices?", "eval": {"type": "Request", "ground_truth_ld": truth}}
    further = {"user": "where?", "eval": {"type": "Source", "ground_truth_ld": ["https://…"]}}
    write(tmp_path / "data/evaluation_dataset_LDS.json", [{"turns": [opening, further]}])
    answer = {"turns": [{"top_results": ["Focus on London"]}]}
    write(tmp_path / "baselines/LDS/portals/lds_baseline.json", [answer, {"summary": {}}])
    found = read_known_set(tmp_path)
    assert [query.text for query in found.queries] == ["prices?"]
    assert found.queries[0].grades == {"House Prices": 3, "Earnings": 0}
    assert [d.title for d in found.documents] == ["House Prices", "Earnings", "Focus on London"]


def test_france_seeks_the_one_data_set_that_ought_to_come_first(tmp_path):
    expected = "query,params,expected\nsirene,,a\nlost,,gone\n,tag=x,a\n"
    write(tmp_path / "data/datasets.csv", expected)
    items = [{"id": "a", "title": "Base Sirene"}, {"id": "b", "title": "Autre"}]
    run = tmp_path / "data/site/2021"
    write(run / "queries.json", {"queries": [{"model": "Dataset", "items": items}]})
    write(run / "datasets/a.json", {"id": "a", "title": "Base Sirene", "tags": ["siret"]})
    found = read_known_set(tmp_path)
    assert [(query.text, query.grades) for query in found.queries] == [("sirene", {"a": 3})]
    assert {d.code: d.keywords for d in found.documents} == {"a": ("siret",), "b": ()}


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(FaultyFile):
        read_known_set(tmp_path)


@pytest.mark.parametrize(
    ("folder", "queries"),
    [("search-opendatabench-london", 60), ("search-datagouv-indicator-2021", 45)],
)
def test_the_real_sets_are_read(folder, queries):
    if not (SHARED / folder).is_dir():
        pytest.skip("the set does not lie beside the repository")
    found = read_known_set(SHARED / folder)
    codes = {document.code for document in found.documents}
    assert len(found.queries) >= queries
    assert all(query.grades.keys() <= codes for query in found.queries)


def test_a_crawled_catalogue_gives_each_title_once(tmp_path):
    about = "资源名称\t公厕#资源摘要\t公厕位置#资源所有权单位\t市城管委#关键字说明\t公厕；环卫\n"
    records = [{"name": "22"}, {"name": "公厕", "info": about}, {"name": "公厕", "info": about}]
    path = tmp_path / "city.json"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    (document,) = read_crawled(path)
    assert (document.code, document.abstract) == ("city-1", "公厕位置")
    assert document.keywords == ("公厕", "环卫")
    path.write_text("[1]", encoding="utf-8")
    with pytest.raises(FaultyFile):
        list(read_crawled(path))


def test_the_judgements_over_beijing_fit_the_crawled_catalogue():
    path = SHARED / "cn-portal-metadata-a" / "info" / "beijing.json"
    if not path.exists():
        pytest.skip("the catalogue does not lie beside the repository")
    codes = {document.code for document in read_crawled(path)}
    queries = read_judgements(CATALOGUE.with_name("beijing.csv"))
    assert len(queries) == 50
    assert {code for query in queries for code in query.grades} <= codes
