"""The files of words: what stands in them, and which of their lines are wrong.

The package has one of each in `search/data`; a portal may lay its own over them, line by line. A
line that cannot be read is passed over when searching and named by `check_folder`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from search.analysis import normalise

SYNONYMS, EVERYDAY, NAMES, STOP_WORDS = "synonyms.csv", "everyday.csv", "names.csv", "stopwords.txt"
FILES = (SYNONYMS, EVERYDAY, NAMES, STOP_WORDS)
KINDS_OF_SYNONYMS = ("same", "toward", "never")
KINDS_OF_NAMES = ("place", "organisation", "theme", "word")

_COLUMNS = {
    SYNONYMS: ("terms", "kind", "note"),
    EVERYDAY: ("theme", "expressions", "official"),
    NAMES: ("kind", "names", "also"),
}
_LONGEST_TERM = 40


@dataclass(frozen=True)
class Fault:
    """A line that is passed over; `line` counts from 1, `problem` is for the person who edits."""

    file: str
    line: int
    problem: str


@dataclass(frozen=True)
class Synonyms:
    """`same`: each stands for each other; `toward`: the first finds the others; `never`: these
    do not stand for each other, whatever the package says."""

    kind: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Everyday:
    """Everyday expressions and the official terms they lead to; no term takes them away."""

    theme: str
    expressions: tuple[str, ...]
    official: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True)
class Names:
    """Proper names that are one word; each of `also` finds each of `names`."""

    kind: str
    names: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class StopWord:
    """A word that need not occur; `dropped` takes one of the package away."""

    word: str
    dropped: bool = False


Row = Synonyms | Everyday | Names | StopWord


def terms_of(text: str) -> tuple[str, ...]:
    """Return the terms of a cell, separated by 、, normalised, each once."""
    terms = (" ".join(normalise(term).split()) for term in text.split("、"))
    return tuple(dict.fromkeys(term for term in terms if term))


def read_file(name: str, lines: Iterable[str]) -> Iterator[Row | Fault]:
    """Walk the rows of a file of the kind its name says, faults among them."""
    if name == STOP_WORDS:
        yield from _stop_words(lines)
        return
    reader = csv.reader(lines)
    columns = _COLUMNS[name]
    header = tuple(next(reader, ()))
    if tuple(cell.strip("\ufeff ") for cell in header) != columns:
        yield Fault(name, 1, f"第一行必须是 {','.join(columns)}")
        return
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(name, reader.line_num, cells)
    except csv.Error as error:
        yield Fault(name, reader.line_num, f"不是有效的CSV：{error}")


def _row(name: str, line: int, cells: list[str]) -> Row | Fault:
    columns = _COLUMNS[name]
    if len(cells) > len(columns):
        return Fault(name, line, f"多于{len(columns)}列；词中有逗号时请用引号括起，词之间用“、”")
    cells = [*cells, *[""] * (len(columns) - len(cells))]
    long = next((t for cell in cells[:3] for t in terms_of(cell) if len(t) > _LONGEST_TERM), None)
    if long and name != SYNONYMS:
        return Fault(name, line, f"“{long[:20]}…”超过{_LONGEST_TERM}个字；词之间用“、”分隔")
    return {SYNONYMS: _synonyms, EVERYDAY: _everyday, NAMES: _names}[name](line, cells)


def _synonyms(line: int, cells: list[str]) -> Row | Fault:
    terms, kind = terms_of(cells[0]), cells[1].strip()
    if len(terms) < 2:
        return Fault(SYNONYMS, line, "terms 至少要有两个不同的词，用“、”分隔")
    if kind not in KINDS_OF_SYNONYMS:
        return Fault(SYNONYMS, line, f"kind 只能是 {'、'.join(KINDS_OF_SYNONYMS)}，不能是“{kind}”")
    return Synonyms(kind, terms)


def _everyday(line: int, cells: list[str]) -> Row | Fault:
    theme, expressions, official = cells[0].strip(), terms_of(cells[1]), terms_of(cells[2])
    if not theme.replace("_", "").isalnum():
        return Fault(EVERYDAY, line, "theme 缺少主题代码（如 health）")
    if not expressions:
        return Fault(EVERYDAY, line, "expressions 至少要有一个说法")
    return Everyday(theme, expressions, official, line)


def _names(line: int, cells: list[str]) -> Row | Fault:
    kind, names, also = cells[0].strip(), terms_of(cells[1]), terms_of(cells[2])
    if kind not in KINDS_OF_NAMES:
        return Fault(NAMES, line, f"kind 只能是 {'、'.join(KINDS_OF_NAMES)}，不能是“{kind}”")
    if not names:
        return Fault(NAMES, line, "names 至少要有一个名称")
    return Names(kind, names, also)


def _stop_words(lines: Iterable[str]) -> Iterator[Row | Fault]:
    for number, line in enumerate(lines, start=1):
        text = line.strip("\ufeff \n\r\t")
        if not text or text.startswith("#"):
            continue
        word = normalise(text.removeprefix("-")).strip()
        if not word or len(word.split()) > 1 or "、" in word:
            yield Fault(STOP_WORDS, number, "每行一个词；行首加“-”表示不再作为停用词")
        else:
            yield StopWord(word, text.startswith("-"))


def read_folder(folder: Path) -> Iterator[Row | Fault]:
    """Walk the rows of the files that are there; a file that cannot be read is a fault."""
    for name in FILES:
        path = folder / name
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            yield Fault(name, 1, "不是UTF-8编码，请另存为UTF-8")
            continue
        except OSError as error:
            yield Fault(name, 1, f"无法读取：{error.strerror}")
            continue
        yield from read_file(name, text.splitlines())


def check_folder(folder: Path) -> list[Fault]:
    """Return the faulty lines of the files in a folder."""
    return [row for row in read_folder(folder) if isinstance(row, Fault)]
