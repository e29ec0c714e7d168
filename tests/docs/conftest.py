"""The example packages of docs/examples, really installed, as a stranger would install them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from portal.app import create_app
from portal.extension import Extension
from portal.jobs.worker import Worker
from portal.platform import Platform
from search.facets import FACETS
from tests.factories import Catalogue, People

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="session")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install copies (setuptools builds inside the folder) without asking any index."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(EXAMPLES, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    packages = [str(path.parent) for path in sorted((folder / "source").glob("*/pyproject.toml"))]
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "-t", folder / "site", *packages],
        check=True,
        timeout=120,
    )
    return folder / "site"


@pytest.fixture
def installed(_site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The examples can be imported and found by their entry points."""
    monkeypatch.syspath_prepend(str(_site))
    before, facets = set(sys.modules), dict(FACETS)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("xiangyun_"):
            del sys.modules[name]
    for name in FACETS.keys() - facets.keys():
        del FACETS[name]


Visit = Callable[..., FlaskClient]


@pytest.fixture
def visit(installed: None, make_platform: Callable[..., Platform]) -> Visit:
    """Return a maker of visitors to a portal with two public data sets and these extensions."""

    def make(*names: str) -> FlaskClient:
        platform = make_platform("sqlite", extensions=("access", *names))
        with platform.database.writing() as session:
            catalogue = Catalogue(platform, session, People(platform, session))
            catalogue.published()
            catalogue.published()
        Worker(platform).run_until_idle()
        return create_app(platform).test_client()

    return make


def loaded(platform: Platform, name: str) -> Extension:
    return next(extension for extension in platform.extensions if extension.name == name)
