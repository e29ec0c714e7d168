"""Solr's syntax as a tree: what is syntax and what is only text, parsed by luqum, errors with place.

A colon is syntax after a field's name and nowhere else: `时间：12:30`, `AI: 应用` and `tags:a:b` hold
colons that are text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection

from luqum.exceptions import ParseError
from luqum.parser import parser
from luqum.tree import Item

from portal.api.errors import SearchQueryError

LONGEST_QUERY = 4000
MOST_BRACKETS = 40  # open at once; the parser and the engines nest no deeper
_PARSING = threading.Lock()  # the parser keeps its state in one object
_PIECE = re.compile(
    r"""
    (?P<kept> \\. | "(?:[^"\\]|\\.)*" | [\[{][^\[\]{}"]*\bTO\b[^\[\]{}]*[\]}] )
    | (?P<field> (?<![^\s(+\-!]) (?P<name> [A-Za-z_][\w.]*|\*) : (?P<gap>\s*) (?=\S) )
    | (?P<colon> : )
    | (?P<both> \s&&\s ) | (?P<either> \s\|\|\s ) | (?P<bang> (?<![^\s(]) ! (?=\S) )
    """,
    re.VERBOSE,
)
_OPERATORS = re.compile(
    r'(?<!\S)(?:AND|OR|NOT|&&|\|\|)(?!\S)|"|[()]|(?<!\S)[+\-!](?=[^\s\d])|\*(?!\S)|(?<=\S)[\^~]\d*(?:\.\d+)?(?!\S)'
)
_PLACE = re.compile(r"at position (\d+)")


def is_everything(text: str) -> bool:
    return text.strip() in ("", "*:*", "*")


def has_fields(text: str, known: Collection[str]) -> bool:
    """Say whether the text names a field: a known one, or a plain word right before a value."""
    return any(_is_field(match, known) for match in _PIECE.finditer(text))


def has_operators(text: str) -> bool:
    return _OPERATORS.search(text) is not None


def _is_field(match: re.Match[str], known: Collection[str]) -> bool:
    if match["field"] is None:
        return False
    name, rest = match["name"], match.string[match.end() :]
    if name in known or name == "*":
        return True
    # What looks like the name of a field is one, so that a wrong name is told and not searched.
    plain = name.isascii() and name.islower()
    return plain and not match["gap"] and not rest.startswith(("//", ":"))


def _prepared(text: str, known: Collection[str]) -> str:
    """Return the text for the parser: Solr's other operators, and colons of plain text escaped."""

    def piece(match: re.Match[str]) -> str:
        if match["field"] is not None and not _is_field(match, known):
            return f"{match['name']}\\:{match['gap']}"
        if match["colon"]:
            return "\\:"
        if match["both"] or match["either"]:
            return " AND " if match["both"] else " OR "
        return "NOT " if match["bang"] else match.group()

    return _PIECE.sub(piece, text)


def parse_query(text: str, known: Collection[str]) -> Item:
    """Return the tree of a query.

    Args:
        known: the names of fields; a plain word before a colon counts as one as well.

    Raises:
        SearchQueryError: too long, too deep, or not to be parsed; it says at which character.
    """
    if len(text) > LONGEST_QUERY:
        raise SearchQueryError("检索式最多{n}个字符。", n=LONGEST_QUERY)
    prepared = _prepared(text, known)
    _check_depth(prepared)
    try:
        with _PARSING:
            return parser.parse(prepared)
    except (ParseError, RecursionError, AttributeError, ValueError, TypeError) as error:
        raise _syntax_error(prepared, str(error)) from error


def _check_depth(text: str) -> None:
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > MOST_BRACKETS:
            raise SearchQueryError(
                "检索式的语法不对：从第{place}个字符起括号嵌套太深（最多{n}层）。",
                place=place + 1,
                n=MOST_BRACKETS,
            )


def _syntax_error(text: str, message: str) -> SearchQueryError:
    found = _PLACE.search(message)
    if found is None:
        return SearchQueryError("检索式“{text}”的语法不对：没有写完。", text=text[:80])
    place = int(found[1])
    return SearchQueryError(
        "检索式的语法不对：第{place}个字符处的“{part}”。",
        place=place + 1,
        part=text[place : place + 30],
    )
