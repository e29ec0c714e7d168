"""Where a walk goes on is said by the caller: whatever it says, it is answered."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import orjson
import pytest
from flask.testing import FlaskClient

from extensions.exchange.position import (
    FormerPosition,
    Position,
    read_instant,
    read_position,
)

NO_POSITIONS = (
    "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00+00:00|",
    "2026-01-01T00:00:00+00:00|-1",
    "2026-01-01T00:00:00+00:00|" + "9" * 30,
    "0001-01-01T00:00:00+23:00|1",
    "yesterday|1",
    "s",
    "s-1",
    "s1.5",
    "s٣",
    "s" + "9" * 30,
)


def test_a_position_is_read_back() -> None:
    assert read_position(Position(7).text()) == Position(7)
    former = FormerPosition(datetime(2026, 11, 24, 8, 0, 0, 1, tzinfo=UTC), 7)
    assert read_position("2026-11-24T08:00:00.000001+00:00|7") == former
    assert read_instant("2026-11-24T08:00:00") == datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", NO_POSITIONS)
def test_what_is_no_position_is_refused(text: str, visitor: FlaskClient) -> None:
    answer = visitor.get(f"/api/changes?cursor={encoded(text)}")
    assert answer.status_code == 422
    assert answer.get_json()["error"]["details"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    "given",
    [
        *(["dcat", None, None, "", text] for text in NO_POSITIONS),
        ["dcat", None, None, "", ["2026-01-01T00:00:00", 1]],
        ["dcat", "0001-01-01T00:00:00+23:00", None, "", None],
        ["dcat", 5, None, "", None],
        ["dcat", None, None, 5, None],
        [["dcat"], None, None, "", None],
        {"0": 1},
    ],
)
def test_forged_resumption_tokens_are_refused(given: object, visitor: FlaskClient) -> None:
    token = encoded(orjson.dumps(given).decode())
    answer = visitor.get(f"/oai?verb=ListRecords&resumptionToken={token}")
    assert answer.status_code == 200
    assert 'code="badResumptionToken"' in answer.text


@pytest.mark.parametrize("more", ["until=9999-12-31", "until=0001-01-01", "set=%00", "set=none"])
def test_the_ends_of_time_and_no_organisation_match_nothing(
    more: str, visitor: FlaskClient
) -> None:
    answer = visitor.get(f"/oai?verb=ListRecords&metadataPrefix=dcat&{more}")
    assert answer.status_code == 200
    assert 'code="noRecordsMatch"' in answer.text


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
