"""The columns of a spreadsheet on a page, each with what stands in it and the field it may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from harvesters.codes import plain_word
from portal.errors import Conflict, Invalid

SAMPLE_ROWS = 4
MOST_COLUMNS, LAST_LINE = 300, 1000
WITH, WITHOUT = "with", "without"
"""Whether the list has a header; neither: found out."""


def column_rows(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    guess: Mapping[str, str],
    confirmed: Mapping[str, str],
    given: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return a row for each column.

    Args:
        guess, confirmed: heading -> field; what a person confirmed counts first.
        given: the fields of a form that was refused.
    """
    known = {plain_word(heading): field for heading, field in confirmed.items()}
    found: list[dict[str, Any]] = []
    for number, heading in enumerate(header):
        word = plain_word(heading)
        chosen = known[word] if word in known else guess.get(heading, "")
        values = [row[number] for row in rows if number < len(row)]
        found.append(
            {
                "number": number,
                "heading": heading,
                "field": given[number] if number < len(given) else chosen,
                "is_new": bool(heading) and bool(known) and word not in known,
                "is_guess": bool(chosen) and word not in known,
                "values": [value for value in values if value][:SAMPLE_ROWS],
            }
        )
    return found


def chosen_fields() -> tuple[list[str], list[str]]:
    """Return the headings of the form and the field chosen for each. Raises Conflict."""
    header, fields = request.form.getlist("heading"), request.form.getlist("field")
    if len(header) > MOST_COLUMNS or len(header) != len(fields):
        raise Conflict("表头已重新读取，请刷新后按新的表头核对。")
    return header, fields


def header_choice() -> tuple[int | None, bool | None]:
    """Return (line, headless) as the form says; None: found out. Raises Invalid."""
    text = request.values.get("line", "").strip()
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LAST_LINE):
        raise Invalid.one("line", "number", "行号应是数字，如 3；不填则自动识别。")
    headless = {WITH: False, WITHOUT: True}.get(request.values.get("header", ""))
    return (int(text) if text else None), headless
