"""Information items from the columns of a database, as `information_schema.columns` lists them. Pure.

PostgreSQL, MySQL, KingbaseES, Dameng, Oracle and SQL Server name their types differently; what is
told of a type by its name stands in `_TYPES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from portal.rules.entry_content import InformationItem

COLUMN_NAME = ("column_name", "name", "字段名", "列名")
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "table": ("table_name", "表名"),
    "column": COLUMN_NAME,
    "type": ("data_type", "column_type", "udt_name", "type_name", "type", "数据类型"),
    "length": ("character_maximum_length", "char_length", "data_length", "length", "长度"),
    "precision": ("numeric_precision", "data_precision", "precision"),
    "scale": ("numeric_scale", "data_scale", "scale", "小数位"),
    "nullable": ("is_nullable", "nullable", "可空"),
    "comment": ("column_comment", "comments", "comment", "description", "remarks", "注释", "说明"),
    "key": ("column_key", "constraint_type", "is_primary_key", "primary_key", "主键"),
    "position": ("ordinal_position", "column_id", "position", "序号"),
}
_TYPES = (
    (re.compile(r"bool|^bit$"), "boolean"),
    (re.compile(r"timestamp|datetime|smalldatetime"), "datetime"),
    (re.compile(r"^date$"), "date"),
    (re.compile(r"money"), "money"),
    (re.compile(r"blob|binary|bytea|image|^raw|bfile"), "binary"),
    (re.compile(r"clob|text|json|xml|^long$"), "text"),
    (re.compile(r"int|serial|^year$"), "integer"),
    (re.compile(r"double|float8"), "double"),
    (re.compile(r"real|float"), "float"),
    (re.compile(r"numeric|decimal|number"), "number"),
)
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,62}")
_YES = frozenset({"yes", "y", "true", "t", "1", "是", "pri", "primary key"})
DEFAULT_LENGTH, DEFAULT_PRECISION, LONGEST_STRING = 200, 18, 4000


def is_column_list(header: Sequence[str]) -> bool:
    """True if the header is that of an `information_schema.columns` export."""
    known = _places(header)
    return "column" in known and "type" in known


def tables_in(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of the tables that the list describes, in its order."""
    place = _places(header).get("table")
    if place is None:
        return []
    return list(dict.fromkeys(cell for row in rows if (cell := _cell(row, place))))


def items_of_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], table: str = ""
) -> list[InformationItem]:
    """Return the items of one table (of all rows where no table is named), in their order."""
    places = _places(header)
    records = [
        {name: _cell(row, place) for name, place in places.items()} for row in rows if any(row)
    ]
    chosen = [r for r in records if r.get("column") and table in ("", r.get("table", ""))]
    if all(r.get("position", "").isdigit() for r in chosen):
        chosen.sort(key=lambda r: int(r["position"]))
    return [_item(number, record) for number, record in enumerate(chosen, 1)]


def _item(number: int, record: Mapping[str, str]) -> InformationItem:
    column, comment = record["column"], record.get("comment", "")
    name, _, rest = comment.partition("：") if len(comment) > 100 else (comment, "", "")
    kind = data_type_of(record.get("type", ""))
    length, scale = _size(kind, record)
    if kind == "string" and length is not None and length > LONGEST_STRING:
        kind, length = "text", None
    primary = record.get("key", "").strip().lower() in _YES
    return InformationItem(
        order=number,
        name=(name.strip() or column)[:100],
        field_name=field_name_of(column, number),
        data_type=kind,
        length=length,
        precision=scale,
        nullable=record.get("nullable", "yes").strip().lower() in _YES and not primary,
        primary_key=primary,
        description=rest.strip()[:500],
    )


def data_type_of(type_name: str) -> str:
    """Return our data type for a database's; text of some length where nothing is known."""
    bare = re.sub(r"\(.*", "", type_name.strip().lower()).strip()
    for pattern, kind in _TYPES:
        if pattern.search(bare):
            return kind
    return "string"


def field_name_of(column: str, number: int) -> str:
    """Return the column's name as a field name: small letters, digits and underlines."""
    plain = re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")[:63]
    if plain and not plain[0].isalpha():
        plain = f"c_{plain}"[:63]
    return plain if _FIELD.fullmatch(plain) else f"field_{number}"


def _size(kind: str, record: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return (length, places after the point), from columns of their own or from `numeric(10,2)`."""
    written = re.search(r"\((\d+)(?:\s*,\s*(\d+))?\)", record.get("type", ""))
    length = _number(record.get("length", "")) or (int(written[1]) if written else None)
    if kind == "string":
        return length or DEFAULT_LENGTH, None
    if kind != "number":
        return None, None
    precision = _number(record.get("precision", "")) or (int(written[1]) if written else None)
    scale = _number(record.get("scale", ""))
    if scale is None and written and written[2]:
        scale = int(written[2])
    return precision or DEFAULT_PRECISION, scale


def _number(text: str) -> int | None:
    text = text.strip().removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _places(header: Sequence[str]) -> dict[str, int]:
    """Return what a column of the list holds -> its place; the first synonym wins."""
    names = [cell.strip().lower() for cell in header]
    found: dict[str, int] = {}
    for meaning, synonyms in _SYNONYMS.items():
        for synonym in synonyms:
            if synonym in names:
                found[meaning] = names.index(synonym)
                break
    return found


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""
