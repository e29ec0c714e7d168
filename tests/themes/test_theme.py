"""Another theme overrides name, colours, logo and single templates by a folder and a setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.app import create_app
from portal.platform import Platform
from portal.settings import Settings, SettingsError, read_settings
from portal.theme import THEMES, ThemeError, theme_folders
from tests.portal.web.test_contrast import PAIRS, block, colours, luminance, palettes

EXAMPLE = THEMES / "changchun_example"


@pytest.fixture
def city(make_platform: Callable[..., Platform]) -> Platform:
    return make_platform("sqlite", theme="changchun_example")


def test_a_city_brings_its_name_colours_logo_and_a_template(city: Platform) -> None:
    visitor = create_app(city).test_client()
    page = visitor.get("/").text
    assert "长春市公共数据开放平台（示例）" in page
    assert (EXAMPLE / "templates/parts/skyline.html").read_text("utf-8").strip() in page
    assert "css/theme.css" in page
    logo = visitor.get("/static/img/logo.svg").text
    assert logo == (EXAMPLE / "static/img/logo.svg").read_text("utf-8")
    english = visitor.get("/", headers={"Accept-Language": "en"}).text
    assert "Changchun Open Public Data" in english


def test_what_it_does_not_bring_comes_from_the_province(city: Platform) -> None:
    visitor = create_app(city).test_client()
    tokens = visitor.get("/static/css/tokens.css").text
    assert tokens == (THEMES / "jilin/static/css/tokens.css").read_text("utf-8")
    assert visitor.get("/help").status_code == 200


def test_the_province_has_no_style_of_a_city(make_platform: Callable[..., Platform]) -> None:
    page = create_app(make_platform("sqlite")).test_client().get("/").text
    assert "css/theme.css" not in page
    assert "长春市公共数据开放平台" not in page


def test_a_name_in_the_settings_comes_first() -> None:
    settings = Settings(theme="changchun_example", site_title="我市数据")
    assert settings.site_title == "我市数据"
    assert settings.site_title_en == "Changchun Open Public Data (example)"


def test_a_theme_may_lie_anywhere(tmp_path: Path, make_platform: Callable[..., Platform]) -> None:
    (tmp_path / "town/static/css").mkdir(parents=True)
    (tmp_path / "town/static/css/theme.css").write_text(":root { --brand: #333333; }")
    (tmp_path / "town/theme.json").write_text(json.dumps({"site_title": "小镇数据"}))
    platform = make_platform("sqlite", theme=str(tmp_path / "town"))
    visitor = create_app(platform).test_client()
    assert "小镇数据" in visitor.get("/").text
    assert "#333333" in visitor.get("/static/css/theme.css").text


def test_a_theme_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ThemeError, match="no theme at"):
        theme_folders("nowhere")
    (tmp_path / "theme.json").write_text('{"secret_key": "x"}')
    with pytest.raises(ValidationError, match="site_title"):
        Settings(theme=str(tmp_path))
    with pytest.raises(SettingsError, match="site_title"):
        read_settings({"XIANGYUN_THEME": str(tmp_path), "XIANGYUN_SECRET_KEY": "x" * 40})


SELECTORS = {
    "light": (":root",),
    "dark": (":root", ':root[data-scheme="dark"]'),
    "reader": (":root", ":root[data-reader]"),
    "reader-dark": (
        ":root", ':root[data-scheme="dark"]', ":root[data-reader]",
        ':root[data-reader][data-scheme="dark"]',
    ),
}  # fmt: skip


@pytest.mark.parametrize("scheme", SELECTORS)
def test_the_colours_of_the_city_have_contrast_too(scheme: str) -> None:
    palette = dict(palettes()[scheme])
    for selector in SELECTORS[scheme]:
        palette |= colours(block(selector, EXAMPLE / "static/css/theme.css"))
    for text, ground in PAIRS:
        high, low = sorted((luminance(palette[text]), luminance(palette[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)
