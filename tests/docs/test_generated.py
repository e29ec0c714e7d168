"""The pages that a command makes are what the command makes now."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.cli import cli
from portal.rules.transitions import read_transitions
from portal.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _default_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.setenv(f"{PREFIX}HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", ["flows", "settings"])
def test_the_page_is_the_output_of_its_command(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    made = CliRunner().invoke(cli, [name], catch_exceptions=False).output
    assert page == made, f"run `xiangyun {name} > docs/{name}.md`"


def test_printing_the_flows_leaves_nothing_in_the_data_folder(tmp_path: Path) -> None:
    CliRunner().invoke(cli, ["flows"], catch_exceptions=False)
    assert not (tmp_path / "home").exists()


def test_every_row_of_every_table_is_on_the_page() -> None:
    page = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    tables = [ROOT / "portal/data/transitions.csv"]
    tables += [ROOT / f"extensions/{name}/data/transitions.csv" for name in default_extensions()]
    rows = [row for table in tables if table.exists() for row in read_transitions(table)]
    assert rows
    for row in rows:
        start = f"| `{row.state}` |" if row.state else "| (new) |"
        lines = [ln for ln in page.splitlines() if ln.startswith(f"{start} `{row.event}` ")]
        assert any(f"`{row.next_state}`" in ln and f"`{row.guard_id}`" in ln for ln in lines), row


def default_extensions() -> tuple[str, ...]:
    default: tuple[str, ...] = Settings.model_fields["extensions"].default
    return default
