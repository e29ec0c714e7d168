"""Guessing passwords: slowed and locked, without telling which names exist."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portal.models.account import find_account
from tests.factories import SetClock
from tests.portal.web.work.conftest import Office, text_of
from tests.security.attacking import log_in

WRONG = "wrong horse battery"


def _answers(client: FlaskClient, name: str, times: int) -> list[tuple[int, str]]:
    answers = []
    for _ in range(times):
        answer = log_in(client, name, WRONG)
        answers.append((answer.status_code, text_of(answer).replace(name, "NAME")))
    return answers


def test_unknown_names_get_the_same_answers_as_known_ones(office: Office) -> None:
    name = office.username("agency_editor", "JL-TRA")
    known = _answers(office.app.test_client(), name, 8)
    unknown = _answers(office.app.test_client(), "no-such-person", 8)
    assert known == unknown
    assert known[0][0] == 401
    assert known[-1][0] == 429


def test_after_five_wrong_guesses_the_right_password_waits_too(
    office: Office, visitor: FlaskClient, clock: SetClock
) -> None:
    name = office.username("agency_editor", "JL-TRA")
    _answers(visitor, name, 5)
    locked = log_in(visitor, name)
    assert locked.status_code == 429
    wait = int(locked.headers["Retry-After"])
    assert 0 < wait <= 20
    clock.advance(seconds=wait)
    assert log_in(visitor, name).status_code == 302


def test_every_further_guess_waits_longer(
    office: Office, visitor: FlaskClient, clock: SetClock
) -> None:
    name = office.username("agency_editor", "JL-TRA")
    _answers(visitor, name, 4)
    waits = []
    for _ in range(10):
        log_in(visitor, name, WRONG)
        waits.append(int(log_in(visitor, name, WRONG).headers["Retry-After"]))
        clock.advance(seconds=waits[-1])
    assert waits == sorted(waits)
    assert waits[3] > 4 * waits[0]
    assert waits[-1] <= 901


def test_an_account_has_one_count_however_it_is_named(office: Office, visitor: FlaskClient) -> None:
    """The public id also finds an account: it must not be a second set of guesses."""
    name = office.username("agency_editor", "JL-TRA")
    with office.platform.database.reading() as session:
        account = find_account(session, name)
        assert account is not None
        public_id = account.public_id
    _answers(visitor, name, 5)
    assert log_in(visitor, public_id, WRONG).status_code == 429
    assert log_in(visitor, f"  {name} ", WRONG).status_code == 429


def test_one_address_trying_many_names_is_slowed(office: Office, visitor: FlaskClient) -> None:
    statuses = [log_in(visitor, f"name-{n}", WRONG).status_code for n in range(52)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    answer = log_in(visitor, office.username("agency_editor", "JL-TRA"))
    assert answer.status_code == 429


def test_a_spoofed_address_does_not_start_a_new_count(office: Office, visitor: FlaskClient) -> None:
    for n in range(52):
        visitor.environ_base["HTTP_X_FORWARDED_FOR"] = f"203.0.113.{n}"
        visitor.environ_base["HTTP_X_REAL_IP"] = f"203.0.113.{n}"
        visitor.environ_base["HTTP_FORWARDED"] = f"for=203.0.113.{n}"
        last = log_in(visitor, f"name-{n}", WRONG).status_code
    assert last == 429


@pytest.mark.parametrize("name", ["a\x00b", "x" * 10_000, "' OR 1=1 --", "𠮷" * 50, "\ud800"])
def test_strange_names_are_wrong_names(visitor: FlaskClient, name: str) -> None:
    answer = log_in(
        visitor, name.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), WRONG
    )
    assert answer.status_code in (400, 401)


def test_a_long_password_costs_no_more_than_another(visitor: FlaskClient) -> None:
    assert log_in(visitor, "somebody", "x" * 200_000).status_code in (401, 413)
