"""What is known about a stored table: its columns, its source, and the rows worth a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from portal.tables.column_types import ColumnType
from portal.tables.row_notes import KEPT, RowNote


@dataclass(frozen=True)
class Column:
    """One column. `minimum` and `maximum` are texts: ISO dates, plain decimals, text as it is."""

    name: str  # as in the file
    field_name: str  # [a-z][a-z0-9_]{0,62}; the name in Parquet, queries and APIs
    type: ColumnType
    sql_type: str  # DuckDB's, e.g. DECIMAL(12,2)
    decimal_places: int | None = None  # when every number of the file shows as many
    blank_count: int = 0
    blank_marks: tuple[str, ...] = ()  # such as "-" or "…", read as blanks
    distinct_count: int = 0
    distinct_exact: bool = True  # False: an estimate
    minimum: str | None = None
    maximum: str | None = None
    max_length: int | None = None  # of texts, in characters


@dataclass(frozen=True)
class TableInfo:
    """A table in storage. JSON-serialisable by `as_dict`, back by `from_dict`."""

    parquet_sha256: str
    parquet_bytes: int
    row_count: int
    columns: tuple[Column, ...]
    encoding: str = ""  # of the source file, when it was text
    encoding_confidence: float = 1.0
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    key_fields: tuple[str, ...] = ()  # columns without any blank or repetition, indexed
    notes: tuple[RowNote, ...] = ()  # the first ones only
    note_counts: Mapping[str, int] = field(default_factory=dict)  # all, by RowNote.kind
    header_rows: tuple[int, ...] = ()  # of the file; empty: names were made
    coordinates: str = ""  # a key of `coordinates.SYSTEMS`, as the file or a person names it

    @property
    def dropped_row_count(self) -> int:
        """Rows that held something and are not in the table; each kind's reason says why."""
        return sum(
            count
            for kind, count in self.note_counts.items()
            if kind not in KEPT and kind != "blank"
        )

    def column(self, field_name: str) -> Column:
        """Raises KeyError."""
        for column in self.columns:
            if column.field_name == field_name:
                return column
        raise KeyError(field_name)

    def as_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, texts and numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        columns = tuple(
            Column(
                **{
                    **column,
                    "type": ColumnType(column["type"]),
                    "blank_marks": tuple(column["blank_marks"]),
                }
            )
            for column in values["columns"]
        )
        return cls(
            **{
                **values,
                "columns": columns,
                "sheets": tuple(values["sheets"]),
                "key_fields": tuple(values["key_fields"]),
                "header_rows": tuple(values.get("header_rows", ())),
                "notes": tuple(RowNote(**note) for note in values["notes"]),
            }
        )
