"""The confidentiality review's checklist."""

from __future__ import annotations

from portal.rules.security_review import CHECKS, OPINION_MAX, PASSED, review_defects

ALL = dict.fromkeys(CHECKS, PASSED)


def test_a_whole_checklist_with_an_opinion_passes() -> None:
    assert review_defects({**ALL, "opinion": "同意"}) == []


def test_every_open_question_is_named_at_once() -> None:
    assert [d.field for d in review_defects({})] == [*CHECKS, "opinion"]


def test_a_no_or_an_endless_opinion_does_not_pass() -> None:
    (defect,) = review_defects({**ALL, "masking": "否", "opinion": "同意"})
    assert (defect.field, defect.code) == ("masking", "not_passed")
    (defect,) = review_defects({**ALL, "opinion": "长" * (OPINION_MAX + 1)})
    assert defect.code == "too_long"
