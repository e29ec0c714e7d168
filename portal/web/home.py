"""The home page and the themes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from portal.codes import code_list
from portal.extension import EntryPanel
from portal.web.access import public
from portal.web.context import clock, platform, session
from portal.web.figures import Figures, catalogue_figures, names_of_organisations
from portal.web.regions import cities_of, figures_or_none

blueprint = Blueprint("home", __name__)
ORGANISATIONS_SHOWN = 12


@blueprint.get("/")
@public
def home() -> Any:
    """Search first; the rest only when the engine answers, since all of it is counted there."""
    figures = figures_or_none()
    return render_template(
        "home.html",
        figures=figures,
        themes=[theme for theme in code_list("themes") if theme.is_yes("livelihood")],
        other_themes=[theme for theme in code_list("themes") if not theme.is_yes("livelihood")],
        organisations=_largest(figures),
        cities=cities_of(figures),
        panels=_panels(),
        now=clock()(),
    )


def _panels() -> list[EntryPanel]:
    """Return what extensions show on the home page, such as what the public wishes for most."""
    found = (source(session()) for e in platform().extensions for source in e.home)
    return [panel for panel in found if panel is not None]


def _largest(figures: Figures | None) -> list[tuple[str, tuple[str, str], int]]:
    """Return (code, names, count) of the organisations with most data."""
    if figures is None:
        return []
    names = names_of_organisations()
    counts = sorted(figures.organisations.items(), key=lambda item: (-item[1], item[0]))
    return [(code, names[code], n) for code, n in counts if code in names][:ORGANISATIONS_SHOWN]


@blueprint.get("/theme")
@public
def themes() -> Any:
    return render_template(
        "themes.html", figures=catalogue_figures(), themes=list(code_list("themes"))
    )
