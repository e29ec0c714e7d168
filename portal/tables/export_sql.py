"""SQL that turns typed columns into the texts of each download form.

DuckDB writes the text of a row many times faster than Python could, and every form then says the
same about a value. Only field names (checked by pattern) and constants stand in this SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.tables.column_types import ColumnType
from portal.tables.info import Column

MAX_XLSX_TEXT = 32_767  # a cell of Excel holds no more
XLSX_CUT = "…（内容过长，已截断）"

XSD_TYPES = {
    ColumnType.TEXT: "xsd:string",
    ColumnType.INTEGER: "xsd:integer",
    ColumnType.NUMBER: "xsd:decimal",
    ColumnType.DATE: "xsd:date",
    ColumnType.DATETIME: "xsd:dateTime",
}

# What neither XML 1.0 nor a spreadsheet may contain.
_CONTROLS = r"'[\x{00}-\x{08}\x{0B}\x{0C}\x{0E}-\x{1F}\x{FFFE}\x{FFFF}]'"
# Cells that a spreadsheet program would run as a formula; a lone dash or number is none.
_FORMULA = r"'^[=+\-@\t\r\n＝＋－＠]'"
_HARMLESS = r"'-{1,2}|[-+]?[0-9]+([.][0-9]+)?'"
# What XML writes otherwise, or a workbook would read otherwise.
_UNUSUAL = r"'[\x{00}-\x{1F}&<>]|_x|\x{FFFE}|\x{FFFF}'"


def plain_text(column: Column) -> str:
    """Return SQL for the value as text: ISO dates, decimals as in the file; NULL stays NULL."""
    name = f'"{column.field_name}"'
    if column.type is ColumnType.TEXT:
        return name
    if column.type is ColumnType.NUMBER and column.decimal_places is None:
        return f"rtrim(rtrim({name}::VARCHAR, '0'), '.')"
    return f"{name}::VARCHAR"


def csv_line(columns: Sequence[Column]) -> str:
    """Return SQL for a line without its end; texts that look like formulas get an apostrophe."""
    cells = [_csv_cell(column, alone=len(columns) == 1) for column in columns]
    return f"concat_ws(',', {', '.join(cells)})"


def _csv_cell(column: Column, *, alone: bool) -> str:
    text = plain_text(column)
    blank = "'\"\"'" if alone else "''"  # an empty line would not be read as a row
    if column.type is not ColumnType.TEXT:
        return f"coalesce({text}, {blank})"
    safe = f"CASE WHEN {_is_formula(text)} THEN '''' || {text} ELSE {text} END"
    quoted = f"'\"' || replace({safe}, '\"', '\"\"') || '\"'"
    written = f"CASE WHEN {_needs_quotes(text)} THEN {quoted} ELSE {safe} END"
    return (
        f"CASE WHEN {text} IS NULL THEN {blank}"
        f" WHEN {_may_be_formula(text)} OR {_needs_quotes(text)} THEN {written} ELSE {text} END"
    )


def _needs_quotes(text: str) -> str:
    """Four searches for one character take a third of the time of a pattern."""
    marks = ("'\"'", "','", "chr(10)", "chr(13)")
    return "(" + " OR ".join(f"contains({text}, {mark})" for mark in marks) + ")"


def _may_be_formula(text: str) -> str:
    """True wherever `_is_formula` is, and for little else; comparing takes next to no time."""
    return f"({text} < '0' OR ({text} >= '=' AND {text} < 'A') OR {text} >= '＋')"


def _is_formula(text: str) -> str:
    return f"(regexp_matches({text}, {_FORMULA}) AND NOT regexp_full_match({text}, {_HARMLESS}))"


def json_object(columns: Sequence[Column], values: Mapping[str, str] | None = None) -> str:
    """Return SQL for one row as a JSON object; decimals keep every digit.

    `values` are SQL of JSON values to give instead of some columns' own, by field name.
    """
    other = values or {}
    members = [
        f"'{',' if number else ''}\"{column.field_name}\":'"
        f" || coalesce({other.get(column.field_name) or _json_value(column)}, 'null')"
        for number, column in enumerate(columns)
    ]
    return f"concat('{{', {', '.join(members)}, '}}')"


def _json_value(column: Column) -> str:
    if column.type in (ColumnType.INTEGER, ColumnType.NUMBER):
        return plain_text(column)
    if column.type is ColumnType.DATETIME:
        return f"'\"' || replace({plain_text(column)}, ' ', 'T') || '\"'"
    return f"to_json({plain_text(column)})::VARCHAR"


def xml_element(columns: Sequence[Column]) -> str:
    """Return SQL for `<row>…</row>`; a blank has no element."""
    elements = [
        f"coalesce('<{column.field_name}>' || {_xml_text(column)} || '</{column.field_name}>', '')"
        for column in columns
    ]
    return f"concat('<row>', {', '.join(elements)}, '</row>')"


def _xml_text(column: Column) -> str:
    if column.type is ColumnType.DATETIME:
        return f"replace({plain_text(column)}, ' ', 'T')"
    if column.type is not ColumnType.TEXT:
        return plain_text(column)
    text = plain_text(column)
    return f"CASE WHEN {_is_unusual(text)} THEN {_escaped(text)} ELSE {text} END"


def _is_unusual(text: str) -> str:
    return f"regexp_matches({text}, {_UNUSUAL})"


def _escaped(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = f"replace({text}, '{character}', '{entity}')"
    return f"regexp_replace({text}, {_CONTROLS}, '\ufffd', 'g')"


def xlsx_row(columns: Sequence[Column]) -> str:
    """Return SQL for `<row>…</row>`; each cell has its place by order, so blanks are cells too."""
    return f"concat('<row>', {', '.join(_xlsx_cell(column) for column in columns)}, '</row>')"


def _xlsx_cell(column: Column) -> str:
    name, text = f'"{column.field_name}"', plain_text(column)
    if column.type is ColumnType.TEXT:
        return f"coalesce({_xlsx_text(text)}, '<c/>')"
    if column.type is ColumnType.DATE:
        # Excel's calendar has a 29 February 1900: earlier days stay text.
        value = (
            f"CASE WHEN {name} >= DATE '1900-03-01' AND {name} <= DATE '9999-12-31' THEN"
            f" '<c s=\"1\"><v>' || date_diff('day', DATE '1899-12-30', {name}) || '</v></c>'"
            f" ELSE {_inline(text)} END"
        )
    elif column.type is ColumnType.DATETIME:
        value = (
            f"CASE WHEN {name} >= TIMESTAMP '1900-03-01' AND {name} < TIMESTAMP '9999-12-31' THEN"
            f" '<c s=\"2\"><v>' || (epoch_us({name}) / 86400000000.0::DOUBLE + 25569) || '</v></c>'"
            f" ELSE {_inline(text)} END"
        )
    else:
        # Excel keeps 15 digits; a longer number stays whole as text.
        digits = f"length(ltrim(regexp_replace({text}, '[^0-9]', '', 'g'), '0'))"
        value = (
            f"CASE WHEN {digits} <= 15 THEN '<c><v>' || {text} || '</v></c>'"
            f" ELSE {_inline(text)} END"
        )
    return f"coalesce({value}, '<c/>')"


def _xlsx_text(text: str) -> str:
    """Inline text, never run; style 3 marks it as quoted, so that editing does not run it either.

    Most texts need none of the care, and one look tells them.
    """
    cut = (
        f"CASE WHEN length({text}) > {MAX_XLSX_TEXT}"
        f" THEN left({text}, {MAX_XLSX_TEXT - len(XLSX_CUT)}) || '{XLSX_CUT}' ELSE {text} END"
    )
    kept = f"regexp_replace({cut}, '_(x[0-9A-Fa-f]{{4}}_)', '_x005F_\\1', 'g')"
    style = f"CASE WHEN {_is_formula(text)} THEN ' s=\"3\"' ELSE '' END"
    careful = (
        f"'<c t=\"inlineStr\"' || {style} || '><is><t xml:space=\"preserve\">'"
        f" || {_escaped(kept)} || '</t></is></c>'"
    )
    return (
        f"CASE WHEN {_may_be_formula(text)} OR contains({text}, ' ') OR {_is_unusual(text)}"
        f" OR strlen({text}) > {MAX_XLSX_TEXT} THEN {careful} ELSE {_inline(text)} END"
    )


def _inline(text: str) -> str:
    return f"'<c t=\"inlineStr\"><is><t>' || {text} || '</t></is></c>'"


def turtle_row(columns: Sequence[Column]) -> str:
    """Return SQL for the triples of one row; a blank has none, the row itself always one."""
    pairs = [
        f"coalesce(' ; :{column.field_name} ' || {_turtle_literal(column)}, '')"
        for column in columns
    ]
    return f"concat('<#row-', _id, '> a csvw:Row', {', '.join(pairs)}, ' .')"


def _turtle_literal(column: Column) -> str:
    """A text is escaped in Turtle as in JSON; numbers and dates name their type."""
    text = plain_text(column)
    if column.type is ColumnType.TEXT:
        return f"to_json({text})::VARCHAR"
    if column.type is ColumnType.INTEGER:
        return text
    if column.type is ColumnType.DATETIME:
        text = f"replace({text}, ' ', 'T')"
    return f"'\"' || {text} || '\"^^{XSD_TYPES[column.type]}'"


def typed(columns: Sequence[Column]) -> str:
    """Return SQL for the columns as they are, for Parquet."""
    return ", ".join(f'"{column.field_name}"' for column in columns)
