"""The real `ckanapi`, as a library and as a command, against a live server."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ckanapi import NotAuthorized, NotFound, RemoteCKAN, ValidationError

from portal.platform import Platform
from tests.live import LiveServer
from tests.portal.api.conftest import World
from tests.portal.api.packages import draft_package, foreign_package

Start = Callable[[Platform], LiveServer]
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
CKANAPI = Path(sys.executable).with_name("ckanapi")
SERVER_SET = {
    "jl_version", "jl_value_score", "jl_value_reasons", "jl_high_value", "jl_metadata_profile",
}  # fmt: skip
"""Extras that each installation says by itself, whatever a record brings."""


def run(*arguments: str, given: bytes = b"") -> bytes:
    """Run `ckanapi`; it must succeed."""
    done = subprocess.run(
        [str(CKANAPI), *arguments],
        input=given,
        capture_output=True,
        timeout=120,
        env={**os.environ, "PATH": f"{CKANAPI.parent}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_library_drives_it(world: World, live_server: Start) -> None:
    url = live_server(world.platform).url
    with RemoteCKAN(url, apikey=world.editor.token) as editor, RemoteCKAN(url) as visitor:
        assert visitor.action.status_show()["site_url"] == url
        made = editor.action.package_create(**draft_package())
        with pytest.raises(NotAuthorized):
            visitor.action.package_show(id=made["id"])
        with pytest.raises(NotFound):
            visitor.action.package_show(id="nowhere")
        with pytest.raises(NotAuthorized):
            visitor.action.package_create(title="x")
        with pytest.raises(ValidationError) as refused:
            editor.action.package_create(**draft_package(colour="red"))
        assert refused.value.error_dict["colour"]
        resource = editor.action.resource_create(
            package_id=made["id"], name="表", upload=io.BytesIO(b"a,b\n1,2\n")
        )
        assert resource["size"] == 8
        assert editor.action.package_show(id=made["id"])["num_resources"] == 1
        assert editor.action.package_search(q="*:*", include_private=True)["count"] >= 0
        assert editor.action.user_show()["name"] == "editor"
    with RemoteCKAN(url, apikey=world.admin.token, get_only=False) as admin:
        loaded = admin.action.package_create(**foreign_package())
        assert visitor_can_see(url, loaded["id"])


def visitor_can_see(url: str, key: str) -> bool:
    with RemoteCKAN(url, get_only=True) as visitor:
        return bool(visitor.action.package_show(id=key)["id"] == key)


@SQLITE
def test_the_command_calls_an_action(world: World, live_server: Start) -> None:
    url = live_server(world.platform).url
    found = json.loads(run("action", "organization_show", "id=jl-tra", "-r", url))
    assert found["title"] == "吉林省交通运输厅"
    made = json.loads(
        run(
            "action", "package_create", "-i", "-r", url, "-a", world.editor.token,
            given=json.dumps(draft_package(title="命令行草稿")).encode(),
        )
    )  # fmt: skip
    assert made["title"] == "命令行草稿"


@SQLITE
def test_dump_load_dump_gives_the_same_records(
    world: World, live_server: Start, make_platform: Callable[..., Platform], tmp_path: Path
) -> None:
    world.publish(lambda catalogue: catalogue.opened())
    for package in (foreign_package(), foreign_package(resources=[], extras=[], tags=[])):
        world.admin.result("package_create", package)
    first = live_server(world.platform)
    dump = tmp_path / "dump.jsonl"
    run("dump", "datasets", "--all", "-O", str(dump), "-r", first.url)
    other, token = _other_world(make_platform, world)
    second = live_server(other)
    run("load", "datasets", "-I", str(dump), "-r", second.url, "-a", token, "-p", "1")
    again = tmp_path / "again.jsonl"
    run("dump", "datasets", "--all", "-O", str(again), "-r", second.url)
    assert _plain(again) == _plain(dump)
    run("load", "datasets", "-I", str(again), "-r", second.url, "-a", token, "-p", "1")
    third = tmp_path / "third.jsonl"
    run("dump", "datasets", "--all", "-O", str(third), "-r", second.url)
    assert third.read_bytes() == again.read_bytes()


def _other_world(make_platform: Callable[..., Platform], world: World) -> tuple[Platform, str]:
    from portal.models.organisation import get_organisation
    from portal.services.accounts import create_account, create_token

    other = make_platform(name="other")
    with other.database.writing() as session:
        account = create_account(
            session,
            other.clock,
            username="admin",
            password="correct horse battery",
            memberships=[("bureau_admin", get_organisation(session, "JL-BUR"))],
        )
        return other, create_token(session, other.clock, account)


def _plain(path: Path) -> list[dict[str, Any]]:
    """Return the records without what each server sets itself: the ids and dates of organisations
    that it had before, the state of its own tables, and what it computes."""
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for record in records:
        record.pop("owner_org")
        for key in ("id", "created"):
            record["organization"].pop(key)
        record["extras"] = [e for e in record["extras"] if e["key"] not in SERVER_SET]
        for resource in record["resources"]:
            resource.pop("datastore_active")
    return sorted(records, key=lambda record: str(record["name"]))


@SQLITE
@pytest.mark.slow
def test_the_server_that_operators_run(
    world: World, live_process: Callable[..., LiveServer]
) -> None:
    world.admin.result("package_create", foreign_package(title="真实进程"))
    world.index()
    settings = world.platform.settings
    server = live_process(settings.home, secret_key=settings.secret_key)
    with RemoteCKAN(server.url) as visitor:
        assert visitor.action.package_search(q="真实进程")["count"] == 1
