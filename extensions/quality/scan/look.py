"""One pass over all rows of a table: a cheap look lets most values go, checks judge the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import duckdb

from extensions.quality.scan.column import ColumnLook, Persons
from extensions.quality.scan.findings import Finding, Looked, masked_example
from extensions.quality.scan.kinds import IDS, KINDS
from extensions.quality.scan.leftovers import look_at_rest
from extensions.quality.scan.words import kinds_in_text
from portal.tables.column_types import ColumnType
from portal.tables.info import TableInfo

MEMORY_LIMIT = "768MB"
STRONG_IDS = frozenset({"id_number", "old_id_number", "bank_card", "passport"})


def look_at_table(info: TableInfo, path: Path, original: Path | None = None) -> Looked:
    """Return what all rows and the columns' names hold.

    Args:
        original: the file as delivered; what of it is not in the table is looked at too.
        path: the table's Parquet. A million rows of 15 columns take some seconds.
    """
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 2})
    try:
        connection.read_parquet(str(path)).create_view("scanned")
        findings, persons = _columns(connection, info)
        findings = [*findings, *_headers(info)]
        duplicates, content_hash = _fingerprint(connection, info)
    finally:
        connection.close()
    rest = look_at_rest(info, original) if original is not None else []
    order = {column.field_name: n for n, column in enumerate(info.columns)}
    judged = sorted(_beside(findings, persons), key=lambda f: order[f.field_name])
    return Looked((*judged, *rest), info.row_count, duplicates, content_hash)


def _columns(
    connection: duckdb.DuckDBPyConnection, info: TableInfo
) -> tuple[list[Finding], Persons]:
    findings: list[Finding] = []
    persons = Persons()
    for column in info.columns:
        if column.blank_count >= info.row_count:
            continue
        look = ColumnLook(connection, column, info.row_count)
        if column.type in (ColumnType.DATE, ColumnType.DATETIME):
            persons.add_birth(look.birth_date())
            continue
        findings += look.by_values()
        findings += look.by_name([f.kind for f in findings if f.field_name == column.field_name])
        persons.add_name(look.names())
        persons.add_birth(look.birth_date())
    return findings, persons


def _headers(info: TableInfo) -> Iterable[Finding]:
    """A file without a header has its first row for one: then names are values."""
    for column in info.columns:
        for kind, text in kinds_in_text(column.name):
            yield Finding(
                column.field_name,
                masked_name(column.name),
                kind,
                1,
                1.0,
                (masked_example(kind, text),),
                "header",
            )


def masked_name(name: str) -> str:
    """Return a column's name without what is sensitive in it."""
    for kind, text in kinds_in_text(name):
        name = name.replace(text, masked_example(kind, text))
    return name


def _beside(findings: list[Finding], persons: Persons) -> list[Finding]:
    """Judge what is only sensitive beside something else: names, birth dates, house addresses."""
    kinds = {finding.kind for finding in findings if finding.blocks}
    ids = bool(kinds & IDS)
    judged = []
    for finding in findings:
        if finding.kind == "house" and (kinds & STRONG_IDS or persons.is_about_people):
            finding = replace(finding, blocks=True)
        judged.append(finding)
    judged += [
        replace(name, blocks=ids)
        for name in persons.names
        if ids or KINDS["name"].is_named(name.column)
    ]
    judged += [birth for birth in persons.births if ids or persons.has_named]
    return judged


def _fingerprint(connection: duckdb.DuckDBPyConnection, info: TableInfo) -> tuple[int, str]:
    """Return how many rows repeat an earlier one, and a digest of columns and rows."""
    row = f"hash({', '.join(f'{chr(34)}{c.field_name}{chr(34)}' for c in info.columns)})"
    found = connection.execute(
        f"SELECT count(*), count(DISTINCT h), bit_xor(h), sum(h::HUGEINT)"
        f" FROM (SELECT {row} AS h FROM scanned)"
    ).fetchone() or (0, 0, 0, 0)
    names = "\n".join(f"{c.name}\t{c.type}" for c in info.columns)
    digest = hashlib.sha256(
        f"{duckdb.__version__}\n{names}\n{found[0]} {found[2]} {found[3]}".encode()
    )
    return int(found[0]) - int(found[1]), digest.hexdigest()
