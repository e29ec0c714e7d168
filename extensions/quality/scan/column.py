"""The look at one column: which kinds its values and its name show, over every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from extensions.quality.scan.checksums import LIBRARY_CHECKS, SQL_CHECKS
from extensions.quality.scan.findings import Finding, masked_example
from extensions.quality.scan.kinds import ANY, KINDS, PLACED_BY_NAME, Kind, narrow
from portal.tables.column_types import ColumnType
from portal.tables.info import Column

EXAMPLES = 3
LIBRARY_SAMPLE = 2_000
NAME_SAMPLE = 5_000
SHORTEST = 6  # characters; no kind is shorter, but for names
NAME_LENGTH = 4
# Where numbers that fit are outnumbered by like ones that do not, they are codes of another sort.
LEAST_VALID = {"bank_card": 0.5, "uscc": 0.2}
LEAST_SHARE = {"old_id_number": 0.5}
NUMBERS_LEAST_SHARE = 0.9
OFFICIAL_MAILBOX = ".gov.cn"
UNMASKED = {
    "id_number": "[0-9]{8}",
    "mobile": "[0-9]{7}",
    "landline": "[0-9]{7}",
    "bank_card": "[0-9]{10}",
    "plate": "[A-Z0-9]{5}",
    "passport": "[A-Z]{1,2}[0-9]{6}",
    "address": "^.{8}.*$",
}
"""What a value has, at least, of a column called so; a star shows that it is masked already."""
_WIDE = ANY.replace("[0-9]", "[0-9０-９]").replace("@", "[@＠]")
_BY_VALUES = tuple(kind for kind in KINDS.values() if kind.pattern and kind.code != "name")


@dataclass
class Persons:
    """Columns of names and birth dates: sensitive only beside what finds the person."""

    names: list[Finding] = field(default_factory=list)
    births: list[Finding] = field(default_factory=list)

    @property
    def has_named(self) -> bool:
        return any(KINDS["name"].is_named(one.column) for one in self.names)

    @property
    def is_about_people(self) -> bool:
        """The rows are people (姓名, 户主), not places with somebody in charge."""
        return any("姓名" in one.column or "户主" in one.column for one in self.names)

    def add_name(self, finding: Finding | None) -> None:
        self.names += [finding] if finding else []

    def add_birth(self, finding: Finding | None) -> None:
        self.births += [finding] if finding else []


class ColumnLook:
    """Looks at one column of the view `scanned`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, column: Column, row_count: int
    ) -> None:
        self._connection, self._column = connection, column
        self._filled = max(1, row_count - column.blank_count)
        self._is_number = column.type is not ColumnType.TEXT
        self._text = f'"{column.field_name}"::VARCHAR'
        self._repeats = column.distinct_count * 4 < self._filled

    def by_values(self) -> list[Finding]:
        """Return the kinds that the values show."""
        if self._longest() < SHORTEST or not self._gather():
            return []
        counts = self._connection.execute(
            "SELECT "
            + ", ".join(
                f"coalesce(sum(n) FILTER (WHERE regexp_matches(v, '{kind.pattern}')), 0)"
                for kind in _BY_VALUES
            )
            + " FROM candidates"
        ).fetchone()
        found = (
            self._judge(kind, int(count))
            for kind, count in zip(_BY_VALUES, counts or (), strict=True)
            if count
        )
        return [finding for finding in found if finding is not None]

    def _longest(self) -> int:
        if self._is_number:
            ends = (self._column.minimum, self._column.maximum)
            return max(len(end.lstrip("-").split(".")[0]) for end in ends if end is not None)
        return self._column.max_length or 0

    def _source(self) -> str:
        """Return SQL for the values with their counts; repeated ones are looked at once."""
        values = (
            f'SELECT {self._text} AS v FROM scanned WHERE "{self._column.field_name}" IS NOT NULL'
        )
        if self._repeats:
            return f"(SELECT v, count(*) AS n FROM ({values}) GROUP BY v)"
        return f"(SELECT v, 1 AS n FROM ({values}))"

    def _gather(self) -> int:
        """Keep the values that some pattern could fit, in narrow form; return how many."""
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE candidates AS SELECT {narrow('v')} AS v, n"
            f" FROM {self._source()} WHERE regexp_matches(v, '{_WIDE}')"
        )
        row = self._connection.execute("SELECT count(*) FROM candidates").fetchone()
        return int(row[0]) if row else 0

    def _judge(self, kind: Kind, matching: int) -> Finding | None:
        named = kind.is_named(self._column.name)
        if kind.code == "landline" and not named:
            return None
        cells, hits = self._hits(kind)
        share = cells / self._filled
        if not cells or (not named and self._is_something_else(kind, cells, matching, share)):
            return None
        blocks = kind.blocks
        if kind.code == "email":
            blocks = not all(hit.lower().endswith(OFFICIAL_MAILBOX) for hit in hits)
        return self._finding(kind.code, cells, hits, blocks=blocks)

    def _is_something_else(self, kind: Kind, cells: int, matching: int, share: float) -> bool:
        if self._is_number:
            return share < NUMBERS_LEAST_SHARE
        if cells / matching < LEAST_VALID.get(kind.code, 0) or share < LEAST_SHARE.get(
            kind.code, 0
        ):
            return True
        return kind.code == "mobile" and self._other_codes() > cells

    def _other_codes(self) -> int:
        """Count codes of eleven digits that are no mobile number; telephone numbers begin with 0."""
        row = self._connection.execute(
            "SELECT coalesce(sum(n), 0) FROM candidates WHERE regexp_full_match(v, '(?:[2-9]|1[0-2])[0-9]{9,10}')"
        ).fetchone()
        return int(row[0]) if row else 0

    def _hits(self, kind: Kind) -> tuple[int, list[str]]:
        """Return how many cells hold the kind by its checksum, and some of what they hold."""
        check = SQL_CHECKS.get(kind.code)
        every = f"regexp_extract_all(v, '{kind.pattern}', 1)"
        first = f"regexp_extract(v, '{kind.pattern}', 1)"
        if check:
            first = f"list_filter({every}, lambda x: {check('x')})[1]"
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE hits AS SELECT h, sum(n) AS n FROM"
            f" (SELECT {first} AS h, n FROM candidates WHERE regexp_matches(v, '{kind.pattern}'))"
            " WHERE h IS NOT NULL GROUP BY h"
        )
        row = self._connection.execute("SELECT coalesce(sum(n), 0), count(*) FROM hits").fetchone()
        cells, distinct = (int(row[0]), int(row[1])) if row else (0, 0)
        sample = self._connection.execute(
            f"SELECT h, n FROM hits ORDER BY h LIMIT {LIBRARY_SAMPLE}"
        ).fetchall()
        library = LIBRARY_CHECKS.get(kind.code)
        if library is None:
            return cells, [hit for hit, _ in sample]
        valid = [(hit, n) for hit, n in sample if library(hit)]
        if distinct <= LIBRARY_SAMPLE:
            return sum(int(n) for _, n in valid), [hit for hit, _ in valid]
        return (cells if valid else 0), [hit for hit, _ in valid]

    def by_name(self, found: Sequence[str]) -> list[Finding]:
        """Return the kinds that the column's name says and its values do not contradict."""
        named = [
            code
            for code in UNMASKED
            if code in PLACED_BY_NAME
            and code not in found
            and KINDS[code].is_named(self._column.name)
        ]
        return [finding for code in named if (finding := self._unmasked(code)) is not None]

    def _unmasked(self, code: str) -> Finding | None:
        where = f"regexp_matches(v, '{UNMASKED[code]}') AND NOT regexp_matches(v, '[*＊]')" + (
            " AND regexp_matches(v, '[0-9]|号|室|村|屯')" if code == "address" else ""
        )
        row = self._connection.execute(
            f"SELECT sum(n), min(v) FROM {self._source()} WHERE {where}"
        ).fetchone()
        if row is None or not row[0]:
            return None
        return self._finding(code, int(row[0]), [row[1]], by="name")

    def names(self) -> Finding | None:
        """Return the column as one of people's names, if most of its values are."""
        named = KINDS["name"].is_named(self._column.name)
        if self._is_number or not (named or self._longest() <= NAME_LENGTH):
            return None
        if not named and self._column.distinct_count < 20:
            return None
        pattern = KINDS["name"].pattern
        row = self._connection.execute(
            f"SELECT count(*), count(*) FILTER (WHERE regexp_matches(v, '{pattern}')),"
            f" min(v) FILTER (WHERE regexp_matches(v, '{pattern}'))"
            f" FROM (SELECT DISTINCT {self._text} AS v FROM scanned"
            f' WHERE "{self._column.field_name}" IS NOT NULL LIMIT {NAME_SAMPLE})'
        ).fetchone()
        if row is None or not row[0] or row[1] / row[0] < (0.5 if named else 0.9):
            return None
        cells = round(self._filled * row[1] / row[0])
        return self._finding("name", cells, [row[2]], by="values")

    def birth_date(self) -> Finding | None:
        if not KINDS["birth_date"].is_named(self._column.name):
            return None
        return self._finding("birth_date", self._filled, [self._column.minimum or ""], by="name")

    def _finding(
        self, kind: str, cells: int, hits: Sequence[str], *, by: str = "values", blocks: bool = True
    ) -> Finding:
        examples = tuple(masked_example(kind, hit) for hit in hits[:EXAMPLES] if hit)
        share = round(min(1.0, cells / self._filled), 4)
        name = self._column.name
        return Finding(self._column.field_name, name, kind, cells, share, examples, by, blocks)
