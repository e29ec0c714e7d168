"""The source kinds by name: the built-in ones and those of installed packages.

A package adds a kind by an entry point in the group "xiangyun.harvesters" that names a callable
from our code lists to a `SourceKind`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from harvesters.ckan.kind import CkanKind
from harvesters.datajson.kind import DataJsonKind
from harvesters.open_list.kind import OpenListKind
from harvesters.record import Codes, SourceKind

GROUP = "xiangyun.harvesters"
MakeKind = Callable[[Codes], SourceKind]


def _dcat(codes: Codes) -> SourceKind:
    from harvesters.dcat.kind import DcatKind  # with rdflib, which web processes do without

    return DcatKind(codes)


_BUILT_IN: dict[str, MakeKind] = {
    CkanKind.name: CkanKind,
    DataJsonKind.name: DataJsonKind,
    "dcat": _dcat,
    OpenListKind.name: OpenListKind,
}


def kind_names() -> tuple[str, ...]:
    """Return every name that `make_kind` knows, sorted."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


def make_kind(name: str, codes: Codes) -> SourceKind:
    """Return the kind of that name; a built-in one cannot be replaced.

    Raises:
        KeyError: no such kind.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name](codes)
    for point in entry_points(group=GROUP, name=name):
        make: MakeKind = point.load()
        return make(codes)
    raise KeyError(name)
