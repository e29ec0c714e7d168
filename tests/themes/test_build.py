"""The front-end files: one sprite of the listed icons, and locks that name no address."""

from __future__ import annotations

import configparser
import json
import re
from xml.etree import ElementTree

import pytest

from tests.services.node import ROOT
from themes.build import SVG, THEMES, VENDOR, AssetsMissing, make_sprite, read_icon_names


@pytest.fixture
def icons(tmp_path):
    for name in ("bus", "sun"):
        icon = f'<svg xmlns="{SVG}" viewBox="0 0 24 24"><path d="M1 2"/></svg>'
        (tmp_path / f"{name}.svg").write_text(icon, "utf-8")
    return tmp_path


def test_the_sprite_has_a_symbol_an_icon_in_a_steady_order(icons):
    sprite = make_sprite(["sun", "bus", "sun"], icons)
    assert sprite == make_sprite(["bus", "sun"], icons)
    symbols = list(ElementTree.fromstring(sprite))
    assert [symbol.get("id") for symbol in symbols] == ["bus", "sun"]
    assert all(symbol.get("stroke") == "currentColor" and len(symbol) == 1 for symbol in symbols)


def test_an_unknown_icon_is_named(icons):
    with pytest.raises(AssetsMissing, match="'moon'"):
        make_sprite(["moon"], icons)


def test_the_built_files_hold_every_listed_icon():
    if not VENDOR.exists():
        pytest.skip("not built: make assets")
    sprite = ElementTree.parse(VENDOR / "icons.svg").getroot()
    assert {symbol.get("id") for symbol in sprite} == set(read_icon_names(THEMES / "icons.txt"))
    assert (VENDOR / "htmx.min.js").stat().st_size > 10_000


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("requirements*.lock")), ids=lambda path: path.name
)
def test_a_lock_of_python_packages_has_hashes_and_no_address(path):
    text = path.read_text("utf-8")
    assert "://" not in text
    pins = re.findall(r"^[\w.\-\[\]]+==.*(?:\n +.*)*", text, re.MULTILINE)
    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)


def test_the_lock_of_npm_packages_has_hashes_and_no_address():
    packages = json.loads((THEMES / "package-lock.json").read_text("utf-8"))["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package.get("integrity") or not name, name


def test_every_package_of_setup_cfg_is_locked():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    wanted = config["options"]["install_requires"].split("\n")
    names = {re.split(r"[<>=\[ ]", line)[0] for line in wanted if line}
    locked = (ROOT / "requirements.lock").read_text("utf-8")
    missing = {
        name for name in names if not re.search(rf"^{name}(\[\w+\])?==", locked, re.MULTILINE)
    }
    assert not missing, "run make lock"
