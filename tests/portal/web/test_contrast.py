"""Every pair of text and ground reaches 4.5 : 1, light and dark; 7 : 1 in the version for the old."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[3] / "themes/jilin/static/css/tokens.css"
GROUNDS = ("paper", "mist")
PAIRS = [
    *((text, ground) for ground in GROUNDS for text in ("ink", "muted", "link", "brand", "red", "amber")),
    ("on-brand", "brand"),
    ("on-brand", "brand-deep"),
    ("brand", "brand-mist"),
    ("ink", "brand-mist"),
    ("amber", "amber-mist"),
    ("ink", "amber-mist"),
    ("red", "red-mist"),
    ("ink", "red-mist"),
    ("ink", "mark"),
    ("link", "mark"),
    ("on-strip", "strip"),
    *(("ink", f"map-{step}") for step in range(5)),
]  # fmt: skip


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def block(selector: str, path: Path = TOKENS) -> str:
    """Return what stands between the braces after a selector."""
    text = path.read_text(encoding="utf-8")
    start = text.index(selector + " {") + len(selector) + 2
    return text[start : text.index("}", start)]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = colours(block(":root")), colours(block(':root[data-scheme="dark"]'))
    dark_reader = colours(block(':root[data-reader][data-scheme="dark"]'))
    return {
        "light": light,
        "dark": {**light, **dark},
        "reader": {**light, **colours(block(":root[data-reader]"))},
        "reader-dark": {**light, **dark, **dark_reader},
    }


def test_the_dark_set_is_the_same_by_device_and_by_switch() -> None:
    by_device = colours(block(':root:not([data-scheme="light"])'))
    assert by_device == colours(block(':root[data-scheme="dark"]'))
    reader = colours(block(':root[data-reader]:not([data-scheme="light"])'))
    assert reader == colours(block(':root[data-reader][data-scheme="dark"]'))


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark", "reader", "reader-dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast(scheme: str, text: str, ground: str) -> None:
    palette = palettes()[scheme]
    high, low = sorted((luminance(palette[text]), luminance(palette[ground])), reverse=True)
    least = 7 if scheme.startswith("reader") and ground in GROUNDS else 4.5
    assert (high + 0.05) / (low + 0.05) >= least
