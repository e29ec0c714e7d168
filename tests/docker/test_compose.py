"""The compose file is valid and holds the same set, with the same settings, as docker/local."""

from __future__ import annotations

import re
import subprocess
import sys

from ruamel.yaml import YAML

from portal.settings import PREFIX, Settings
from tests.services.node import ROOT, SCRIPTS

COMPOSE = ROOT / "docker" / "compose.yaml"
PORTAL = ("web", "worker", "upgrade")


def services() -> dict:
    return YAML(typ="safe").load(COMPOSE)["services"]


def test_the_compose_file_keeps_to_the_schema():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, COMPOSE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_of_the_set_is_there():
    assert {"postgresql", "elasticsearch", "s3", "redis", "nginx", *PORTAL} <= services().keys()
    assert services()["web"]["deploy"]["replicas"] == 2


def test_the_portal_is_given_settings_that_it_knows():
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in PORTAL:
        given = {key for key in services()[name]["environment"] if key.startswith(PREFIX)}
        assert given
        assert given <= known


def test_nginx_is_given_every_value_of_its_template():
    template = (SCRIPTS / "nginx.conf.template").read_text("utf-8")
    wanted = set(re.findall(r"\$\{(NGINX_\w+)\}", template))
    assert wanted == set(services()["nginx"]["environment"])


def test_no_secret_stands_in_the_file_and_nothing_but_nginx_is_published():
    for name, service in services().items():
        assert name == "nginx" or "ports" not in service
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY", key):
                assert re.fullmatch(r"\$\{\w+:\?\}", value), f"{name}: {key}"
