"""The extension manifest and its loader.

An extension is a package that exports one frozen `extension = Extension(...)`. Built-in ones live
in `extensions/`; others are found by the entry point group `xiangyun.extensions`. Both are enabled
by name, in order, by the setting EXTENSIONS. The core's own features use the same hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from portal import permissions
from portal.actor import Actor
from portal.clock import Clock
from portal.jobs.registry import JobKind
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.services import notices, value
from portal.services.entry_hooks import ExtraSource, FacetSource, add_entry_hooks
from portal.services.flow import FLOWS, FlowBinding
from portal.services.inspection_findings import FindingKeeper, add_finding_keepers
from portal.services.notices import Audience
from portal.services.overview import OverviewColumn
from portal.services.personal_data import Obstacle
from portal.services.public_uses import PublicUseSink, add_public_use_sinks
from portal.services.release_checks import ReleaseCheck, add_release_checks
from portal.services.value import SignalSource
from search.facets import Facet, register_facet

ENTRY_POINTS = "xiangyun.extensions"


class ExtensionError(Exception):
    """An enabled extension cannot be found or does not fit; the start-up stops."""


@dataclass(frozen=True)
class NavigationItem:
    """A link in the head of every page (`audience` public, signed_in, staff or bureau), or a section of
    the work pages (`audience` work)."""

    label: str
    endpoint: str
    audience: str = "public"
    icon: str = ""


@dataclass(frozen=True)
class WorkItem:
    """One thing that waits for somebody, as the work list shows it. Dates are local."""

    title: str
    kind: str
    link: str
    deadline_id: int | None = None


@dataclass(frozen=True)
class ReviewCheck:
    """What a check says of a version under review. `level`: ok, note (look at it), or bad."""

    name: str
    level: str
    text: str
    link: str = ""


@dataclass(frozen=True)
class EntryPanel:
    """A section that an extension puts on an entry's page: an anchor, a heading, ready HTML.

    It stands among those of the interfaces, or by itself (`apart`).
    """

    anchor: str
    heading: str
    html: str
    primary_action: str = ""
    apart: bool = False


@dataclass(frozen=True)
class ListedInterface:
    """A data interface as the developer centre lists it. `address` is a path of this site, `page` that
    of its own page, if it has one."""

    name: str
    address: str
    entry_slug: str
    entry_title: str
    provider: str
    page: str = ""


@dataclass(frozen=True)
class WorkFigure:
    """One number on top of the work list, with the page of its rows."""

    value: str
    text: str
    link: str
    icon: str = "info"


FigureSource = Callable[[Session, Actor], Sequence[WorkFigure]]


@dataclass(frozen=True)
class SearchOffer:
    """What somebody may do whose search found nothing. `address` is a path of this site, prefilled
    with what was searched for."""

    text: str
    address: str
    note: str = ""


EmptySearchOffer = Callable[[Session, Actor, str], SearchOffer | None]
"""Makes an offer of the searched words; None where there is none for this reader."""
InterfaceSource = Callable[[Session], Sequence[ListedInterface]]
PanelSource = Callable[[Session, Actor, CatalogueEntry], EntryPanel | None]
HomeSource = Callable[[Session], EntryPanel | None]
MarkSource = Callable[[Session, CatalogueEntry], Sequence[str]]
SampleSource = Callable[[Session, Clock, Actor, CatalogueEntry, Mapping[str, Any]], None]
"""Makes an extension's part of a sample record (session, clock, the agency's editor, entry, record)."""
WorkSource = Callable[[Session, Actor], Sequence[WorkItem]]
ReviewCheckSource = Callable[[Session, EntryVersion], Sequence[ReviewCheck]]


@dataclass(frozen=True)
class Extension:
    """Everything a feature plugs in.

    routes: blueprints of pages (with CSRF protection); apis: blueprints called with credentials
    of their own, never with the session cookie.
    migrations: folder of an Alembic branch labelled with the extension's name.
    marks: short words shown with an entry; panels: sections of its page; home: sections of the home
    page; interfaces: callable interfaces that the developer centre lists; work: what waits for
    somebody; work_figures: numbers above the work list; extras: more keys of its
    CKAN package; empty_search_offers: what a search that finds nothing offers (a data request with
    the words filled in); signals: counts behind the value score; facets with the sources of their codes
    (facet_codes); samples: its part of each sample record; finish_samples: what it adds once all of
    them stand (called with the platform); public_uses: keeps public uses of data that another extension
    learns of; release_checks: looks at parsed tables before they leave;
    review_checks: what a reviewer is told of a submitted version; findings: has the problems mended
    that a random inspection found.
    """

    name: str
    routes: tuple[Blueprint, ...] = ()
    apis: tuple[Blueprint, ...] = ()
    flows: tuple[FlowBinding, ...] = ()
    permissions: permissions.Rules = field(default_factory=dict)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    jobs: tuple[JobKind, ...] = ()
    migrations: Path | None = None
    facets: tuple[Facet, ...] = ()
    facet_codes: tuple[FacetSource, ...] = ()
    signals: tuple[SignalSource, ...] = ()
    marks: tuple[MarkSource, ...] = ()
    panels: tuple[PanelSource, ...] = ()
    home: tuple[HomeSource, ...] = ()
    empty_search_offers: tuple[EmptySearchOffer, ...] = ()
    interfaces: tuple[InterfaceSource, ...] = ()
    extras: tuple[ExtraSource, ...] = ()
    work: tuple[WorkSource, ...] = ()
    work_figures: tuple[FigureSource, ...] = ()
    navigation: tuple[NavigationItem, ...] = ()
    actions: tuple[Any, ...] = ()
    samples: tuple[SampleSource, ...] = ()
    finish_samples: tuple[Callable[[Any], None], ...] = ()
    release_checks: tuple[ReleaseCheck, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    public_uses: tuple[PublicUseSink, ...] = ()
    overview: tuple[OverviewColumn, ...] = ()
    review_checks: tuple[ReviewCheckSource, ...] = ()
    findings: tuple[FindingKeeper, ...] = ()


def load_extensions(names: Sequence[str]) -> tuple[Extension, ...]:
    """Find and register the enabled extensions, in order.

    Raises:
        ExtensionError: no extension of that name, or it exports no manifest.
        TableError: a transition row of it is not bound.
    """
    loaded = tuple(_find(name) for name in names)
    for extension in loaded:
        register(extension)
    return loaded


def _find(name: str) -> Extension:
    try:
        module = import_module(f"extensions.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"extensions.{name}":
            raise
        return _find_outside(name)
    found = getattr(module, "extension", None)
    if not isinstance(found, Extension):
        raise ExtensionError(f"extensions.{name} exports no Extension named `extension`")
    return found


def _find_outside(name: str) -> Extension:
    for point in entry_points(group=ENTRY_POINTS, name=name):
        found = point.load()
        if isinstance(found, Extension):
            return found
        raise ExtensionError(f"the entry point {name} is no Extension")
    raise ExtensionError(f"no extension is named {name}")


def register(extension: Extension) -> None:
    """Put what the extension plugs in into the core's tables; twice changes nothing."""
    for binding in extension.flows:
        FLOWS.add(binding)
    permissions.add_rules(extension.permissions)
    notices.add_audiences(extension.audiences)
    value.add_signal_sources(extension.signals)
    add_entry_hooks(extension.facet_codes, extension.extras)
    add_release_checks(extension.release_checks)
    add_public_use_sinks(extension.public_uses)
    add_finding_keepers(extension.findings)
    for facet in extension.facets:
        register_facet(facet)
