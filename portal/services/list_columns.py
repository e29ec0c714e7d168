"""The columns of an agency's own spreadsheets: said once by a person, remembered for its next list."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from harvesters.codes import plain_word
from harvesters.open_list.column_mapping import ColumnMapping
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Forbidden, Unauthenticated
from portal.models.list_columns import ListColumns, list_columns_of
from portal.models.organisation import Organisation
from portal.services import audit
from portal.services.source_columns import chosen_columns

FLOW = "open_list_upload"
MOST_KEPT = 20


def remembered_columns(session: Session, provider: Organisation) -> list[ColumnMapping]:
    """Return the mappings that lists of the provider are tried with, the newest first."""
    found = (ColumnMapping.of(row.columns) for row in list_columns_of(session, provider.id))
    return [mapping for mapping in found if mapping is not None]


def find_remembered(
    session: Session, provider: Organisation, header: Sequence[str], *, headless: bool
) -> dict[str, Any]:
    """Return the mapping that was confirmed for such a header; empty if none was."""
    wanted = _digest(header, headless=headless)
    rows = list_columns_of(session, provider.id)
    return next((row.columns for row in rows if row.digest == wanted), {})


def remember_columns(
    session: Session,
    clock: Clock,
    actor: Actor,
    provider: Organisation,
    header: Sequence[str],
    fields: Sequence[str],
    *,
    first_line: int = 0,
) -> None:
    """Keep what the columns of a list hold; the next list with this header is read by it.

    Args:
        header: the headings as they were shown, in their order.
        fields: a field of the list for each, "" for a column that is not read.
        first_line: of a list without a header, the line in which its data begin; else 0.

    Raises:
        Forbidden: the actor does not act for the provider.
        Invalid: a field is unknown or chosen twice, or no column holds the title.
    """
    own = actor.acts_for("agency") | actor.acts_for("responsible_dept")
    if provider.id not in own:
        raise Unauthenticated() if actor.is_anonymous else Forbidden()
    columns = chosen_columns(header, fields, first_line=first_line)
    digest = _digest(header, headless=first_line > 0)
    rows = list_columns_of(session, provider.id)
    standing = next((row for row in rows if row.digest == digest), None)
    if standing is None:
        standing = ListColumns(organisation_id=provider.id, digest=digest)
        session.add(standing)
    standing.columns, standing.confirmed_at = columns, clock()
    old = [row.id for row in rows if row is not standing][MOST_KEPT - 1 :]
    if old:
        session.execute(delete(ListColumns).where(ListColumns.id.in_(old)))
    chosen = {h: f for h, f in columns["fields"].items() if f}
    audit.record(
        session,
        clock,
        actor,
        flow=FLOW,
        event="map_columns",
        subject_id=provider.id,
        details={"fields": chosen, "first_line": first_line},
    )


def _digest(header: Sequence[str], *, headless: bool) -> str:
    words = [str(len(header))] if headless else sorted({plain_word(h) for h in header if h})
    return hashlib.sha256("\n".join([str(headless), *words]).encode()).hexdigest()
