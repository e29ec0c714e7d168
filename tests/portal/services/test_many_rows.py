"""Many new rows of one model: ids are theirs, nothing that waits is overtaken."""

from __future__ import annotations

from sqlalchemy import event, func, select

from portal.clock import system_clock
from portal.models.organisation import Organisation, get_organisation
from portal.platform import Platform
from portal.services.many_rows import add_many
from portal.services.organisations import BUREAU_CODE


def organisation(code: str) -> Organisation:
    return Organisation(
        code=code,
        slug=code.lower(),
        name=code,
        kind="agency",
        region_code="220000",
        created_at=system_clock(),
    )


def test_rows_get_ids_that_nobody_has_and_go_in_by_one_statement(platform: Platform) -> None:
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with platform.database.writing() as session:
        waiting = organisation("JL-WAIT")
        session.add(waiting)
        many = [organisation(f"JL-M{n}") for n in range(50)]
        event.listen(session.get_bind().engine, "before_cursor_execute", note)
        try:
            add_many(session, many)
        finally:
            event.remove(session.get_bind().engine, "before_cursor_execute", note)
        assert sum(s.startswith("INSERT INTO organisation") for s in statements) <= 2
        add_many(session, [organisation("JL-LATER")])  # a few only wait
        later = organisation("JL-ALONE")
        session.add(later)
        session.flush()
        bureau = get_organisation(session, BUREAU_CODE)
        ids = [bureau.id, waiting.id, *(one.id for one in many), later.id]
        assert len(set(ids)) == len(ids)
    with platform.database.reading() as session:
        codes = set(session.scalars(select(Organisation.code)))
        assert {"JL-WAIT", "JL-M0", "JL-M49", "JL-LATER", "JL-ALONE"} <= codes


def test_no_rows_are_no_work(platform: Platform) -> None:
    with platform.database.writing() as session:
        before = session.scalar(select(func.count(Organisation.id)))
        add_many(session, [])
        assert not session.new
        assert session.scalar(select(func.count(Organisation.id))) == before
