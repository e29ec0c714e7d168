"""The report of a run as a CSV that a clerk can send to the source: the worst first, row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice

from portal.db import Database
from portal.services.harvest_report import ReportLine, all_report_lines

HEADER = ("结果", "在来源中的位置", "来源中的编号", "名称", "平台目录", "说明", "变化")
_RUNS = tuple("=+-@\t\r＝＋－＠")
_BATCH = 500


def report_csv(
    database: Database,
    run_id: int,
    *,
    states: frozenset[str],
    names: Mapping[str, str],
    fields: Mapping[str, str],
) -> Iterator[bytes]:
    """Yield the file piece by piece (UTF-8 with its mark, as spreadsheets want it).

    Args:
        states: only records in these states; empty: all.
        names, fields: what states and fields are called.
    """
    yield b"\xef\xbb\xbf" + _lines([HEADER])
    with database.reading() as session:
        found = all_report_lines(session, run_id, states=states)
        while some := list(islice(found, _BATCH)):
            yield _lines([_cells(line, names, fields) for line in some])


def _cells(
    line: ReportLine, names: Mapping[str, str], fields: Mapping[str, str]
) -> tuple[str, ...]:
    changes = "；".join(
        f"{fields.get(one.field, one.field)}：{one.before or '（空）'} → {one.after or '（空）'}"
        for one in line.changes
    )
    state = names.get(line.state, line.state)
    texts = (line.place, line.remote_id, line.title, line.slug, line.reason, changes)
    return (state, *map(_harmless, texts))


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet runs: it was written by a stranger."""
    return f"'{text}" if text.startswith(_RUNS) else text


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")
