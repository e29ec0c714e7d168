"""The directions in which rooms may know each other (docs/architecture.md)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("portal", "search", "harvesters", "extensions")
WEB_LIBRARIES = {"flask", "werkzeug", "flask_babel", "flask_wtf"}


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports_of(path: Path) -> set[str]:
    """Return every module the file imports at run time; imports for types alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


MODULES = dict(modules())


def within(prefix: str) -> list[str]:
    return [name for name in MODULES if name == prefix or name.startswith(prefix + ".")]


def offenders(room: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{name} imports {imported}"
        for name in within(room)
        for imported in sorted(imports_of(MODULES[name]))
        if imported.split(".")[0] in forbidden
        or any(imported == f or imported.startswith(f + ".") for f in forbidden)
    ]


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("search", ("portal", "harvesters", "extensions", "flask")),
        ("harvesters", ("portal", "search", "extensions", "flask")),
        ("portal", ("extensions",)),
        ("portal.models", ("flask", "portal.services", "portal.web", "portal.api")),
        ("portal.services", (*WEB_LIBRARIES, "portal.web", "portal.api", "portal.app")),
        ("portal.tables", ("portal.services", "portal.models", "portal.web", *WEB_LIBRARIES)),
        ("portal.storage", ("portal.services", "portal.models", "portal.web", *WEB_LIBRARIES)),
        ("portal.jobs", ("portal.web", "portal.api", "flask")),
        ("portal.web", ("portal.api",)),
    ],
)  # fmt: skip
def test_a_room_does_not_know_what_lies_right_of_it(room: str, forbidden: tuple[str, ...]) -> None:
    assert offenders(room, forbidden) == []


def test_rules_import_the_standard_library_and_rules_alone() -> None:
    allowed = {*sys.stdlib_module_names, "portal"}
    for name in within("portal.rules"):
        for imported in imports_of(MODULES[name]):
            assert imported.split(".")[0] in allowed, f"{name} imports {imported}"
            if imported.startswith("portal."):
                assert imported.startswith(("portal.rules", "portal.errors")), (name, imported)


def test_only_the_engine_changes_a_state() -> None:
    """`x.state = …` on a flow's subject stands in the Flow engine and nowhere else."""
    allowed = {"portal.services.flow", "portal.jobs.queue"}
    runs = {"run", "item", "job", "check"}  # progress of harvests and link checks, not flows
    for name in [*within("portal"), *within("extensions")]:
        if name in allowed:
            continue
        for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Assign):
                continue
            for target in node.targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Attribute) and part.attr == "state":
                        owner = ast.unparse(part.value)
                        assert owner.split(".")[-1] in runs, f"{name}: {ast.unparse(node)}"


def test_services_never_commit() -> None:
    for name in [*within("portal.services"), *within("extensions")]:
        text = MODULES[name].read_text(encoding="utf-8")
        assert "session.commit()" not in text, name


def test_no_module_is_named_for_no_subject() -> None:
    assert not [n for n in MODULES if n.split(".")[-1] in ("utils", "helpers", "misc", "common")]
