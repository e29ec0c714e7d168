"""The registry of source kinds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harvesters.kinds import kind_names, make_kind
from harvesters.record import Codes


def test_built_in_kinds(codes: Codes) -> None:
    assert {"ckan", "open_list"} <= set(kind_names())
    for name in ("ckan", "open_list"):
        assert make_kind(name, codes).name == name


def test_an_unknown_kind(codes: Codes) -> None:
    with pytest.raises(KeyError):
        make_kind("gopher", codes)


def test_an_installed_package_adds_a_kind_but_replaces_none(
    codes: Codes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other_kind.py").write_text(
        "class OtherKind:\n    name = 'other'\n    def __init__(self, codes): self.codes = codes\n"
    )
    info = tmp_path / "other_kind-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-kind\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[xiangyun.harvesters]\nother = other_kind:OtherKind\nckan = other_kind:OtherKind\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "other" in kind_names()
    assert make_kind("other", codes).name == "other"
    assert make_kind("ckan", codes).name == "ckan"
    sys.modules.pop("other_kind", None)
