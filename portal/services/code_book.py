"""The code lists with the other words that people and catalogues use for their codes."""

from __future__ import annotations

from functools import cache

from harvesters.codes import CodeBook
from portal.codes import all_code_names, code_list


@cache
def code_book() -> CodeBook:
    return CodeBook(all_code_names())


def format_code(text: str) -> str:
    """Return the code of formats.csv that a text stands for, else the text in lower case."""
    return code_book().find("formats", text) or text.strip().lower()


def format_label(code: str) -> str:
    """Return what people read for a format's code: "CSV" for "csv"."""
    known = code_list("formats").find(code)
    return known.name if known else code
