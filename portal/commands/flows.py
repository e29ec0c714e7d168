"""`xiangyun flows`: the transition tables as a page; docs/flows.md is its output."""

from __future__ import annotations

from collections.abc import Iterable

import click

from portal.codes import code_list
from portal.extension import load_extensions
from portal.platform import CORE_FLOWS
from portal.rules.transitions import Transition
from portal.services.flow import FlowBinding
from portal.settings import SHORTEST_SECRET, read_settings

HEAD = """\
# Flows

Made by `xiangyun flows` from the transition tables that the portal runs on; do not edit.
Nothing else in the system says who may do what in a flow: what is not a row here is refused.

- **from** → **to**: the state before and after; a new thing comes from (new).
- **who**: kinds of actor, see the table of roles at the end. `system` is the portal itself.
- **condition**: the guard in words; `code` is the function that checks it.
- **due**: how long this step may take, in working days after the named instant.
  S: fixed by the Measures; L: by other law; P: the portal's own promise.
- **art.**: article of the Measures that the row rests on.
"""
COLUMNS = ("from", "event", "to", "who", "condition", "due", "told", "art.")


def flows_page(bindings: Iterable[FlowBinding]) -> str:
    """Return the Markdown page of these flows, in the order given."""
    sections = [_section(binding) for binding in bindings]
    return "\n".join([HEAD, *sections, _roles()])


def _section(binding: FlowBinding) -> str:
    states = dict.fromkeys(row.next_state for row in binding.rows)
    named = ", ".join(f"`{state}` {binding.state_labels[state]}" for state in states)
    rows = [_cells(binding, row) for row in binding.rows]
    return f"## {binding.name} `{binding.flow}`\n\nStates: {named}.\n\n{_table(COLUMNS, rows)}"


def _cells(binding: FlowBinding, row: Transition) -> tuple[str, ...]:
    return (
        f"`{row.state}`" if row.state else "(new)",
        f"`{row.event}` {binding.event_labels[row.event]}",
        f"`{row.next_state}`",
        ", ".join(row.actors),
        f"{row.guard} `{row.guard_id}`".strip(),
        _due(row),
        row.told,
        row.article,
    )


def _due(row: Transition) -> str:
    days = f"{row.due} wd" if row.due_working_days is not None else row.due
    since = f"from {row.due_from}" if row.due_from else ""
    source = f"({row.due_source})" if row.due_source else ""
    return " ".join(part for part in (days, since, source) if part)


def _roles() -> str:
    rows = [
        (f"`{role.code}`", role.name, role["name_en"], ", ".join(role["acts_as"].split(";")))
        for role in code_list("roles")
    ]
    return f"## Roles\n\n{_table(('role', '名称', 'name', 'acts as'), rows)}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in ln)} |\n" for ln in lines)


@click.command("flows")
def flows() -> None:
    """Print the transition tables of the core and of the enabled extensions as Markdown."""
    # Nothing is signed here, so no key need be made in the data folder.
    settings = read_settings(secret_key="-" * SHORTEST_SECRET)
    extensions = load_extensions(settings.extensions)
    bindings = (*CORE_FLOWS, *(flow for e in extensions for flow in e.flows))
    click.echo(flows_page(bindings), nl=False)


COMMANDS = (flows,)
