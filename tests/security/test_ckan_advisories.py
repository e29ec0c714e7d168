"""One regression test for each published weakness of CKAN that could exist here, by its number.

Those of files, markup, sessions, forms, logs and memory stand beside their subjects (search for
`test_cve_`). CVE-2026-41132 (mail without a check of the certificate) has no counterpart yet: the
portal sends no mail.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.models.account import Account
from portal.net import RefusedAddress, guarded_session
from portal.services.accounts import create_token
from portal.settings import SettingsError, read_settings
from tests.factories import PASSWORD, TRANSPORT
from tests.harvesters.replay import Answer, ReplayServer
from tests.portal.web.work.conftest import Office
from tests.security.attacking import log_in, open_entry

SQL = (
    "1' OR '1'='1",
    "x'; DROP TABLE t; --",
    "' UNION SELECT password_hash FROM account --",
    "ts_rewrite('a'::tsquery, 'SELECT * FROM account')",
    "read_text('/etc/passwd')",
    "(SELECT current_setting('home_directory'))",
    "\" FROM read_csv('/etc/passwd') --",
)


@pytest.mark.parametrize("action", ["datastore_search_sql", "datastore_create", "datastore_upsert"])
def test_cve_2026_42031_there_is_no_sql_for_visitors(visitor: FlaskClient, action: str) -> None:
    """CKAN: visitors read other tables through `datastore_search_sql`."""
    for path in (f"/api/3/action/{action}", f"/api/action/{action}"):
        answer = visitor.get(path, query_string={"sql": "SELECT * FROM account"})
        assert answer.status_code in (400, 403, 404)
        assert b'success":true' not in answer.data


@pytest.mark.parametrize("sql", SQL)
def test_cve_2026_42032_no_part_of_a_table_query_is_sql(
    office: Office, visitor: FlaskClient, sql: str
) -> None:
    """CKAN: filters and sort orders reached the database as they came."""
    slug, file_id = open_entry(office)
    for asked in (
        {"sort": sql},
        {"q": sql},
        {"fields": sql},
        {"filters": {sql: sql}},
        {"filters": {"名称": sql}},
        {"limit": sql},
        {"offset": sql},
        {"resource_id": sql},
        {"distinct": sql},
    ):
        data = {"resource_id": file_id, **asked}
        answer = visitor.post("/api/3/action/datastore_search", json=data)
        assert answer.status_code in (200, 404, 409), (asked, answer.text)
        assert "root:" not in answer.text
        assert "argon2" not in answer.text
        if answer.status_code == 200:
            assert answer.json["result"]["total"] in (0, 30)
    for query in ({"sort": sql}, {"q": sql}, {"f.名称": sql}, {f"f.{sql}": "x"}):
        for path in (f"/dataset/{slug}", f"/dataset/{slug}/resource/{file_id}/export"):
            answer = visitor.get(path, query_string={"format": "csv", **query})
            assert answer.status_code in (200, 404, 422), (path, query)
            assert "root:" not in answer.text
    assert visitor.get(f"/dataset/{slug}").status_code == 200


def test_cve_2024_43371_no_address_inside_is_fetched() -> None:
    """CKAN: plugins fetched whatever address a resource named, also after a redirect."""
    with ReplayServer() as inside, ReplayServer() as outside:
        inside.on("/secret", Answer(body=b"inside"))
        location = {"Location": inside.url + "/secret"}
        outside.on("/", Answer(status=302, headers=location))
        session = guarded_session(allowed_hosts=frozenset({outside.address}))
        for url in (
            inside.url + "/secret",
            outside.url + "/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::1]:80/",
            "http://0.0.0.0/",
            "http://2130706433/",
            "http://[::ffff:127.0.0.1]/",
        ):
            with pytest.raises(RefusedAddress):
                session.get(url)
        assert inside.asked == []


@pytest.mark.parametrize(
    "resource_id",
    [
        "../../../../tmp/evil",
        "..%2f..%2fevil",
        "/etc/cron.d/evil",
        "a/../../b",
        "..",
        "x\x00y",
        "x" * 2000,
        "<script>alert(1)</script>",
    ],
)
def test_cve_2023_32321_crafted_resource_ids_name_no_file(office: Office, resource_id: str) -> None:
    """CKAN: the id of an upload became its path, and led to the running of code."""
    slug = office.made(lambda catalogue, people: catalogue.published().slug)
    token = _token(office, "agency_editor")
    home = office.platform.settings.home
    before = {path for path in home.rglob("*") if "files" not in path.parts}
    answer = office.app.test_client().post(
        "/api/3/action/resource_create",
        data={
            "package_id": slug,
            "id": resource_id,
            "name": "x",
            "upload": (io.BytesIO(b"a,b\n1,2\n"), "a.csv"),
        },
        headers={"Authorization": token},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 409, answer.text
    assert "id" in answer.json["error"]
    stored = [p for p in (home / "files").rglob("*") if p.is_file()]
    assert all(len(p.name) == 64 for p in stored), stored
    made = {path for path in home.rglob("*") if "files" not in path.parts} - before
    assert not [path for path in made if "evil" in path.name]


def _token(office: Office, role: str) -> str:
    name = office.username(role, TRANSPORT)
    with office.platform.database.writing() as session:
        account = session.scalars(select(Account).where(Account.username == name)).one()
        return create_token(session, office.platform.clock, account)


@pytest.mark.parametrize("secret", ["secret", "x" * 31, "changeme"])
def test_cve_2023_22746_no_start_with_a_guessable_secret(tmp_path: Path, secret: str) -> None:
    """CKAN: images of all installations shared one default key."""
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        read_settings({"XIANGYUN_HOME": str(tmp_path), "XIANGYUN_SECRET_KEY": secret})


def test_cve_2023_22746_each_installation_makes_its_own_secret(tmp_path: Path) -> None:
    made = [read_settings({"XIANGYUN_HOME": str(tmp_path / name)}).secret_key for name in "ab"]
    assert made[0] != made[1]
    assert min(map(len, made)) >= 48
    assert (tmp_path / "a" / "secret_key").stat().st_mode & 0o077 == 0
    again = read_settings({"XIANGYUN_HOME": str(tmp_path / "a")}).secret_key
    assert again == made[0]


def test_cve_2022_43685_an_existing_account_is_not_taken_over(office: Office) -> None:
    """CKAN: creating a user with the id of another one changed that one."""
    victim = office.username("agency_editor", TRANSPORT)
    with office.platform.database.reading() as session:
        before = session.query(Account).filter(Account.username == victim).one()
        kept = (before.id, before.public_id, before.password_hash, before.display_name)
    admin = office.browser("bureau_admin", "JL-BUR")
    form = admin.form("/work/accounts", "/work/accounts")
    data = {
        **form.values(),
        "username": victim,
        "id": kept[0],
        "public_id": kept[1],
        "password": "attackers-password",
        "display_name": "x",
        "role": "agency_editor",
        "organisation": TRANSPORT,
    }
    assert admin.client.post("/work/accounts", data=data).status_code == 422
    admin.client.post("/work/accounts", data={**data, "username": "somebody-new"})
    for action in ("user_create", "user_update", "user_patch", "user_invite"):
        answer = office.app.test_client().post(
            f"/api/3/action/{action}",
            json={"id": kept[1], "name": victim, "password": "attackers-password"},
            headers={"Authorization": _token(office, "agency_editor")},
        )
        assert answer.status_code in (400, 403, 404)
    with office.platform.database.reading() as session:
        after = session.query(Account).filter(Account.username == victim).one()
        assert (after.id, after.public_id, after.password_hash, after.display_name) == kept
    assert log_in(office.app.test_client(), victim, "attackers-password").status_code == 401
    assert log_in(office.app.test_client(), victim, PASSWORD).status_code == 302


def test_cve_2022_29217_a_token_is_no_claim_that_a_client_writes(visitor: FlaskClient) -> None:
    """PyJWT: the algorithm that the token names. Ours are random and looked up, never decoded."""
    none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwicm9sZSI6ImJ1cmVhdV9hZG1pbiJ9."
    for token in (none, f"Bearer {none}", "xy_", "xy_" + "x" * 5000, "null", "undefined", "1"):
        answer = visitor.post(
            "/api/3/action/organization_create",
            json={"name": "evil"},
            headers={"Authorization": token},
        )
        assert answer.status_code == 403, token
