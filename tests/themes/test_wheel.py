"""The wheel holds what the portal reads at run time, and none of npm's own folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.services.node import ROOT
from themes.build import VENDOR

PACKAGES = ("portal", "search", "harvesters", "extensions", "themes")
DATA = {".csv", ".html", ".css", ".svg", ".txt", ".js", ".mako", ".jsonl", ".xlsx", ".gz"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    skipped = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=skipped)
    for name in ("setup.cfg", "pyproject.toml", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    npm = source / "themes" / "node_modules" / "big" / "big.js"
    npm.parent.mkdir(parents=True)
    npm.write_text("// not ours")
    command = [
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        target,
        source,
    ]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(target.glob("xiangyun-*.whl")))


@pytest.mark.slow
def test_the_wheel_holds_all_data_files(wheel):
    found = set(wheel.namelist())
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.suffix in DATA and "node_modules" not in path.parts:
                assert str(path.relative_to(ROOT)) in found
    assert not [name for name in found if "node_modules" in name]


@pytest.mark.slow
def test_the_wheel_holds_the_built_assets(wheel):
    if not VENDOR.exists():
        pytest.skip("not built: make assets")
    assert "themes/jilin/static/vendor/htmx.min.js" in wheel.namelist()
