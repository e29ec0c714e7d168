"""What is held never leaves: tables of data versions are asked for at one door.

`portal.services.open_columns` knows what of a table may leave. Whoever reads the row's own columns
(`table`, `public_table`) goes past it, and stands here with the reason.
"""

from __future__ import annotations

import ast

import pytest

from tests.architecture.test_directions import MODULES

DOOR = "portal.services.open_columns"
KEEPERS = {
    DOOR: "is the door",
    "portal.services.table_parsing": "writes what the parser found",
    "portal.services.distributions": "asks whether there is a table, not what is in it",
    "portal.services.review_files": "counts rows for the reviewer, on a page for staff",
    "portal.services.search_facts": "loads the rows that are then asked through the door",
    "portal.web.work.compiling": "the agency's own names of columns, to make items of",
    "portal.web.work.files": "the agency's own names of columns, on its own page",
    "portal.web.work.table_reading": "how the agency's own file is read, on its own page",
    "extensions.access.services.interfaces": "compares names of columns when an agency registers",
    "extensions.access.services.sandbox_gate": "made-up tables, which nobody has to hold",
    "extensions.access.services.standing": "compares whether it changed; gate asks at the door",
    "extensions.quality.services.sensitive": "judges what is held",
    "extensions.quality.services.applying": "makes the table that may leave",
    "extensions.quality.services.groups": "counts small groups for the reviewer",
    "extensions.quality.services.timers": "looks at tables that were never looked at",
    "extensions.quality.web.sensitive": "the reviewer's page: names and masked examples",
}
ROWS = frozenset({"data", "version", "data_version", "current_version", "DataVersion"})
"""Names by which this project calls a data version; an ORM row says its type nowhere else."""


def reads_past_the_door(source: str) -> list[str]:
    """Return the expressions that read a data version's table, or make one from its row."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute):
            continue
        owner = node.value
        name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if (
            node.attr == "public_table"
            or (node.attr == "table" and name in ROWS)
            or (node.attr == "from_dict" and name == "TableInfo")
        ):
            found.append(ast.unparse(node))
    return found


def readers() -> set[str]:
    return {
        name for name, path in MODULES.items() if reads_past_the_door(path.read_text("utf-8"))
    } - {name for name in MODULES if ".migrations" in name}


def test_tables_are_asked_for_at_the_door() -> None:
    past = sorted(readers() - KEEPERS.keys())
    assert past == [], f"read the table by open_table or released_table of {DOOR} instead"


def test_nobody_stands_on_the_list_who_needs_it_no_more() -> None:
    assert sorted(KEEPERS.keys() - readers()) == []


@pytest.mark.parametrize(
    "source",
    [
        "info = TableInfo.from_dict(row)",
        "columns = file.current_version.table['columns']",
        "def f(data): return data.public_table or {}",
        "query = select(DataVersion.id, DataVersion.table)",
    ],
)
def test_the_check_itself_notices(source: str) -> None:
    assert reads_past_the_door(source)


def test_the_check_itself_lets_the_door_be_used() -> None:
    assert not reads_past_the_door("info = open_table(data, content); file.table.columns")
