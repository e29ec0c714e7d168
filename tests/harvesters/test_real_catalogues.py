"""Real catalogues of agencies and of other portals' tests; they lie beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from harvesters.codes import CodeBook
from harvesters.datajson.document import datasets_of, read_document
from harvesters.datajson.mapping import record_from_dataset
from harvesters.dcat.mapping import record_from_node
from harvesters.dcat.reading import read_graph
from harvesters.dcat.vocabulary import datasets_in
from harvesters.record import SourceFailed
from harvesters.whole_answer import WholeAnswer

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not at hand")

BROKEN = {
    "dcat-ckanext-examples/examples/dcat/dataset.ttl",  # a prefix that is not bound
    "dcat-ckanext-examples/examples/croissant/full_croissant_dataset.jsonld",  # a comma too many
    "dcat-opendatasoft-turtle/examples/catalogue.ttl",  # a text cut in its middle
}


def whole(path: Path) -> WholeAnswer:
    return WholeAnswer(path.read_bytes(), "", f"https://source.example/{path.name}")


def graphs() -> list[Path]:
    endings = ("ttl", "rdf", "jsonld", "xml")
    return sorted(p for p in DATA.glob("dcat*/**/*") if p.suffix[1:] in endings)


@pytest.mark.parametrize("path", graphs(), ids=lambda path: str(path.relative_to(DATA)))
def test_rdf(path: Path, book: CodeBook) -> None:
    if str(path.relative_to(DATA)) in BROKEN:
        with pytest.raises(SourceFailed):
            read_graph(whole(path))
        return
    graph = read_graph(whole(path))
    found = [record_from_node(graph, node, book) for node in datasets_in(graph)]
    assert found
    assert all(record.fields["title"] for record in found)


@pytest.mark.parametrize(
    ("name", "datasets", "files"),
    [
        ("pod-philadelphia-2015/data.json", 302, 549),
        ("pod-datagov-harvester-good/example_data/dcatus/dcatus.json", 7, 7),
        ("pod-datagov-harvester-good/example_data/dcatus/dcatus3_0.json", 4, 0),
        ("pod-datagov-harvester-good/example_data/dcatus/dcatus3_0_nested_catalog.json", 3, 0),
        ("pod-datagov-harvester-good/example_data/dcatus/dcatus3_0_series_with_members.json", 2, 0),
    ],
)
def test_data_json(name: str, datasets: int, files: int, book: CodeBook) -> None:
    document = read_document(whole(DATA / name))
    found = [record_from_dataset(one, book, place=place) for place, one in datasets_of(document)]
    assert (len(found), sum(len(record.files) for record in found)) == (datasets, files)
    assert len({record.remote_id for record in found}) == datasets
