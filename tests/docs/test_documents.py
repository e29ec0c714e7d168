"""What the documents say can be checked: links lead somewhere, commands exist, code is real."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from portal.cli import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda path: path.as_posix()
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}(.+)$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:^|\s|bin/)xiangyun((?: +[^\s`|&;>]+)*)")
TARGET = re.compile(r"(?:^|[\s(])make ([a-z][a-z-]*)")


def document_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=document_id)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as the forges make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name).resolve() if name else path
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(found), target


def code_of(path: Path) -> Iterator[str]:
    """Yield each line of code of a page: in fences, indented, and within sentences."""
    text = path.read_text(encoding="utf-8")
    for _, block in FENCE.findall(text):
        yield from block.splitlines()
    text = FENCE.sub("", text)
    yield from INDENTED.findall(text)
    yield from SPAN.findall(text)


def check_command(words: list[str]) -> None:
    """Raises: AssertionError naming what `xiangyun` does not know."""
    command: click.Command = cli
    rest = list(words)
    while rest and isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z|]*", rest[0]):
        name = rest.pop(0)
        assert name in command.commands, f"xiangyun {' '.join(words)}: no command {name}"
        command = command.commands[name]
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"-h", "--help"}
    for word in rest:
        option = word.strip("[],").partition("=")[0]
        if option.startswith("--"):
            assert option in known, f"xiangyun {' '.join(words)}: no option {option}"


@each_document
def test_commands_of_xiangyun_exist(path: Path) -> None:
    for code in code_of(path):
        for found in COMMAND.findall(code):
            check_command(found.split())


@each_document
def test_targets_of_make_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for code in code_of(path):
        for target in TARGET.findall(code):
            assert target in targets, code


def test_the_check_itself_notices() -> None:
    for words in (["fly"], ["index", "burn"], ["index", "check", "--twice"]):
        with pytest.raises(AssertionError):
            check_command(words)


def test_the_code_in_contributing_stands_in_an_example() -> None:
    files = [p for p in (ROOT / "docs/examples").rglob("*") if p.suffix in (".py", ".toml")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    blocks = FENCE.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert blocks
    for _, block in blocks:
        assert any(block in text for text in texts), block


def test_every_example_is_shown_in_contributing() -> None:
    shown = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for manifest in (ROOT / "docs/examples").glob("*/pyproject.toml"):
        assert f"docs/examples/{manifest.parent.name}" in shown
        assert tomllib.loads(manifest.read_text(encoding="utf-8"))["project"]["entry-points"]


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for note in folder.glob("[0-9]*.md"):
        assert f"]({note.name})" in index, f"docs/decisions/README.md does not list {note.name}"


def test_both_readmes_have_the_same_parts() -> None:
    parts = [
        [
            line.split(" ")[0]
            for line in (ROOT / name).read_text("utf-8").splitlines()
            if line[:1] == "#"
        ]
        for name in ("README.md", "README.zh.md")
    ]
    assert parts[0] == parts[1]
