"""Errors tell visitors an id, and nothing of what happened inside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from portal.app import create_app
from portal.platform import Platform
from portal.web.access import public
from tests.portal.web.work.conftest import Office

SECRETS = ("s3cret-in-a-query", "Bearer-s3cret", "postgresql://", "Traceback", 'File "', "sqlite3")


class _Breakage(RuntimeError):
    pass


@pytest.fixture
def broken(office: Office) -> Office:
    """The application with two routes that fail as a bug would."""

    def fail() -> str:
        raise _Breakage("the address is postgresql://xiangyun:s3cret-in-a-query@db/x")

    def fail_in_sql() -> str:
        with office.platform.database.writing() as session:
            session.execute(text("INSERT INTO nowhere VALUES (:v)"), {"v": "s3cret-in-a-query"})
        return ""

    office.app.add_url_rule("/broken", "broken", public(fail))
    office.app.add_url_rule("/api/broken", "api_broken", public(fail))
    office.app.add_url_rule("/broken-sql", "broken_sql", public(fail_in_sql))
    return office


@pytest.mark.parametrize("path", ["/broken", "/api/broken", "/broken-sql"])
def test_a_bug_answers_with_an_id_and_nothing_of_itself(broken: Office, path: str) -> None:
    answer = broken.app.test_client().get(path)
    assert answer.status_code in (500, 503)
    assert answer.headers["X-Request-Id"] in answer.text
    assert not [secret for secret in SECRETS if secret in answer.text]
    assert "Breakage" not in answer.text


def test_cve_2024_41674_no_answer_names_the_search_server(
    make_platform: Callable[..., Platform],
) -> None:
    """CKAN: an error of Solr showed its address, with its password."""
    platform = make_platform("sqlite", search_url="http://user:s3cret@127.0.0.1:9/")
    client = create_app(platform).test_client()
    for path in ("/dataset?q=水", "/api/3/action/package_search?q=水", "/health", "/"):
        answer = client.get(path)
        assert "s3cret" not in answer.text, path
        assert "127.0.0.1:9" not in answer.text, path
    assert client.get("/dataset?q=水").status_code == 503


def test_a_page_that_is_not_there_tells_nothing_of_what_is(visitor: FlaskClient) -> None:
    for path in (
        "/.env",
        "/.git/config",
        "/xiangyun.db",
        "/var/secret_key",
        "/console",
        "/static/",
    ):
        assert visitor.get(path).status_code == 404, path
