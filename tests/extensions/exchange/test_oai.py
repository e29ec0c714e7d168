"""OAI-PMH, asked by a client library over a real connection, and attacked."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sickle import Sickle
from sickle import oaiexceptions as errors
from werkzeug.serving import make_server

from extensions.exchange import oai
from tests.factories import SetClock
from tests.portal.web.conftest import Site


@pytest.fixture
def client(site: Site) -> Iterator[Sickle]:
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Sickle(f"http://127.0.0.1:{server.server_port}/oai")
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_client_harvests_everything_over_pages(
    site: Site, client: Sickle, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oai, "AT_ONCE", 2)
    slugs = [site.opened(title=f"公交 & 站点 {n}") for n in range(5)]
    clock.advance(hours=1)
    site.retire(slugs[1], "停用", settle=False)
    records = list(client.ListRecords(metadataPrefix="oai_dc"))
    assert len({record.header.identifier for record in records}) == len(records) == 5
    assert [record.deleted for record in records].count(True) == 1
    titles = {r.metadata["title"][0] for r in records if not r.deleted}
    assert titles == {"公交 & 站点 0", "公交 & 站点 2", "公交 & 站点 3", "公交 & 站点 4"}
    alive = list(client.ListIdentifiers(metadataPrefix="dcat", ignore_deleted=True))
    assert len(alive) == 4


def test_identify_formats_sets_and_one_record(site: Site, client: Sickle) -> None:
    site.opened()
    assert client.Identify().granularity == "YYYY-MM-DDThh:mm:ssZ"
    assert {f.metadataPrefix for f in client.ListMetadataFormats()} == {"oai_dc", "dcat"}
    assert "jl-tra" in {one.setSpec for one in client.ListSets()}
    (header,) = client.ListIdentifiers(metadataPrefix="oai_dc", set="jl-tra")
    record = client.GetRecord(identifier=header.identifier, metadataPrefix="dcat")
    assert "dcat:Dataset" in record.raw


def test_a_day_bounds_what_changed(site: Site, client: Sickle, clock: SetClock) -> None:
    site.opened()
    day = clock.now.date().isoformat()
    asked = {"metadataPrefix": "oai_dc", "from": day, "until": day}
    assert len(list(client.ListIdentifiers(**asked))) == 1
    with pytest.raises(errors.NoRecordsMatch):
        client.ListIdentifiers(metadataPrefix="oai_dc", until="2001-01-01")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=Drop", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&x=1", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc", "cannotDisseminateFormat"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-01&until=2026-01-01", "badArgument"),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=W10&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:x:1", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=%00", "idDoesNotExist"),
        ("verb=ListRecords&metadataPrefix=oai_dc", "noRecordsMatch"),
    ],
)
def test_errors_are_those_of_the_protocol(query: str, code: str, visitor: FlaskClient) -> None:
    answer = visitor.get(f"/oai?{query}")
    assert answer.status_code == 200
    assert f'code="{code}"' in answer.text
