"""The way onto the agency's open list, flow F4."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import GuardRefused
from portal.models import OpenListRelease
from tests.factories import Catalogue, People, content


def test_data_comes_onto_the_list_in_three_steps(session: Session, catalogue: Catalogue) -> None:
    place = catalogue.opened()
    assert place.state == "open"
    changes = session.scalars(select(OpenListRelease.change)).all()
    assert changes == ["planned", "open"]


@pytest.mark.parametrize("method", ["shared", "negotiated"])
def test_data_got_from_others_is_refused_with_the_reason(catalogue: Catalogue, method: str) -> None:
    with pytest.raises(GuardRefused) as caught:
        catalogue.proposed(content(acquisition_method=method))
    assert "第29条" in caught.value.defects[0].text()


def test_the_proposer_may_not_review(catalogue: Catalogue, people: People) -> None:
    place = catalogue.proposed()
    place.proposed_by = people.security_officer.account_id
    with pytest.raises(GuardRefused):
        catalogue.open_list.pass_review(people.security_officer, place, {"x": "y"})
    assert place.state == "proposed"


def test_opening_needs_a_file(catalogue: Catalogue, people: People) -> None:
    place = catalogue.planned()
    with pytest.raises(GuardRefused):
        catalogue.open_list.publish(people.agency_reviewer, place)


def test_removal_waits_ten_working_days_after_its_notice(
    catalogue: Catalogue, people: People, clock
) -> None:
    place = catalogue.opened()
    catalogue.open_list.announce_removal(people.agency_reviewer, place, reason="系统停用")
    clock.advance(days=13)
    with pytest.raises(GuardRefused):
        catalogue.open_list.remove(people.agency_reviewer, place, reason="系统停用")
    clock.advance(days=1)
    catalogue.open_list.remove(people.agency_reviewer, place, reason="系统停用")
    assert place.state == "removed"


def test_retiring_the_entry_ends_its_place(catalogue: Catalogue, people: People) -> None:
    place = catalogue.opened()
    catalogue.entries.retire(people.bureau, place.entry, reason="依据失效", consequences_shown=True)
    assert place.state == "removed"


def test_passing_over_a_planned_one_of_higher_value_needs_a_reason(
    catalogue: Catalogue, people: People
) -> None:
    higher, place = catalogue.planned(), catalogue.planned(content(theme="other"))
    assert higher.entry.value_score > place.entry.value_score
    catalogue.file(place.entry)
    with pytest.raises(GuardRefused) as caught:
        catalogue.open_list.publish(people.agency_reviewer, place)
    assert higher.version.title in caught.value.defects[0].text()
    catalogue.open_list.publish(people.agency_reviewer, place, reason="社会急需")
    assert place.state == "open"
