"""A data set of an RDF graph in our words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from rdflib import Graph

from harvesters.codes import CodeBook
from harvesters.dcat.mapping import record_from_node
from harvesters.dcat.vocabulary import datasets_in
from harvesters.record import HarvestedRecord

PREFIXES = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix spdx: <http://spdx.org/rdf/terms#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
WHOLE = """
<https://city.example/bus> a dcat:Dataset ;
    dct:identifier "BUS-1" ; dct:title "Bus stops"@en, "公交站点"@zh ; dct:description "站点位置"@zh ;
    dcat:keyword "站点", "公交" ;
    dct:publisher [ a foaf:Agent ; foaf:name "长春市交通运输局" ] ;
    dcat:contactPoint [ vcard:fn "数据科" ; vcard:hasEmail <mailto:data@city.example> ] ;
    dct:issued "2024-03-05"^^xsd:date ; dct:modified "2026-11-01T08:00:00+08:00"^^xsd:dateTime ;
    dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/DAILY> ;
    dct:temporal [ dcat:startDate "2020-01-01"^^xsd:date ; dcat:endDate "2025-12-31"^^xsd:date ] ;
    dct:accessRights <http://publications.europa.eu/resource/authority/access-right/PUBLIC> ;
    dct:license <https://creativecommons.org/licenses/by/4.0/> ;
    dcat:theme [ skos:prefLabel "交通运输"@zh ] ;
    dct:language <http://publications.europa.eu/resource/authority/language/ZHO> ;
    dcat:distribution <https://city.example/bus/csv>, [ dcat:accessURL <https://city.example/map> ] .
<https://city.example/bus/csv> dct:title "站点表" ; dcat:downloadURL <https://city.example/bus.csv> ;
    dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> ; dcat:byteSize "1024.0" ;
    spdx:checksum [ spdx:checksumValue "%s" ] .
""" % ("ab" * 32)


def records(turtle: str, book: CodeBook) -> list[HarvestedRecord]:
    graph = Graph().parse(data=PREFIXES + turtle, format="turtle")
    return [record_from_node(graph, node, book) for node in datasets_in(graph)]


def test_a_whole_one(book: CodeBook) -> None:
    (record,) = records(WHOLE, book)
    assert record.remote_id == "BUS-1"
    assert record.modified == datetime(2026, 11, 1, tzinfo=UTC)
    assert record.fields == {
        "title": "公交站点",
        "abstract": "站点位置",
        "keywords": ("公交", "站点"),
        "provider_name": "长春市交通运输局",
        "contact_name": "数据科",
        "contact_email": "data@city.example",
        "issued": date(2024, 3, 5),
        "data_modified": datetime(2026, 11, 1, tzinfo=UTC),
        "update_frequency": "daily",
        "temporal_start": date(2020, 1, 1),
        "temporal_end": date(2025, 12, 31),
        "open_type": "unconditional",
        "licence": "cc-by-4.0",
        "theme": "transport",
        "format": ("csv",),
    }
    assert record.foreign["http://purl.org/dc/terms/language"] == [
        "http://publications.europa.eu/resource/authority/language/ZHO"
    ]
    page, table = record.files
    assert (page.url, page.remote_id) == ("https://city.example/map", "https://city.example/map")
    assert (table.name, table.format, table.size_bytes) == ("站点表", "csv", 1024)
    assert table.sha256 == "ab" * 32


def test_the_same_graph_gives_the_same_record(book: CodeBook) -> None:
    assert records(WHOLE, book) == records(WHOLE, book)


def test_an_unnamed_one_is_faulty(book: CodeBook) -> None:
    with pytest.raises(ValueError, match="标识"):
        records('[ a dcat:Dataset ; dct:title "无名" ] .', book)


def test_one_without_title_is_faulty(book: CodeBook) -> None:
    with pytest.raises(ValueError, match="标题"):
        records('<https://city.example/1> a dcat:Dataset ; dct:description "x" .', book)


def test_the_licence_of_all_files_is_that_of_the_data(book: CodeBook) -> None:
    by = "<https://creativecommons.org/licenses/by/4.0/>"
    zero = "<https://creativecommons.org/publicdomain/zero/1.0/>"
    one = """<https://city.example/1> a dcat:Dataset ; dct:title "一" ; dcat:distribution
        [ dct:license %s ; dcat:accessURL <https://city.example/a> ],
        [ dct:license %s ; dcat:accessURL <https://city.example/b> ] ."""
    assert records(one % (by, by), book)[0].fields["licence"] == "cc-by-4.0"
    assert "licence" not in records(one % (by, zero), book)[0].fields


def test_odd_values_are_passed_over(book: CodeBook) -> None:
    (record,) = records(
        """<https://city.example/1> a dcat:Dataset ; dct:title "一" ; dct:issued "去年" ;
           dct:modified "2026-02-31"^^xsd:date ; dct:temporal "2020" ; dct:publisher "某局" ;
           dcat:contactPoint <https://city.example/nobody> ; dcat:distribution "no node" .""",
        book,
    )
    assert record.fields == {"title": "一", "provider_name": "某局"}
    assert record.modified is None
