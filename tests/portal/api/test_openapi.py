"""The printed description of the Action API."""

from __future__ import annotations

import json

from click.testing import CliRunner

from portal.api.action import table_of
from portal.api.core import CORE_ACTIONS
from portal.api.openapi import openapi_document
from portal.cli import cli
from portal.settings import Settings


def test_every_action_is_described() -> None:
    document = openapi_document(table_of(CORE_ACTIONS), Settings(secret_key="x" * 40))
    assert document["openapi"] == "3.1.0"
    paths = document["paths"]
    assert set(paths) == {f"/api/3/action/{action.name}" for action in CORE_ACTIONS}
    assert set(paths["/api/3/action/package_create"]) == {"post"}
    search = paths["/api/3/action/package_search"]["get"]
    assert {"q", "fq", "facet.field", "rows"} <= {one["name"] for one in search["parameters"]}
    assert search["security"][0] == {}
    upload = paths["/api/3/action/resource_create"]["post"]["requestBody"]["content"]
    assert "upload" in upload["multipart/form-data"]["schema"]["properties"]
    names = [op["operationId"] for path in paths.values() for op in path.values()]
    assert len(names) == len(set(names))


def test_the_command_prints_json(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XIANGYUN_HOME", str(tmp_path))
    done = CliRunner().invoke(cli, ["openapi"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["info"]["title"]
