"""Every pair of text and ground of the theme reaches 4.5 : 1, light and dark (WCAG 1.4.3)."""

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
]  # fmt: skip


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def palettes() -> dict[str, dict[str, str]]:
    light, dark = TOKENS.read_text(encoding="utf-8").split("@media")
    return {"light": colours(light), "dark": {**colours(light), **colours(dark)}}


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast(scheme: str, text: str, ground: str) -> None:
    palette = palettes()[scheme]
    high, low = sorted((luminance(palette[text]), luminance(palette[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5
