"""Who may read what is not shown (yet), who moderates, who works on demands."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from extensions.participation.models.comment import EntryComment
from extensions.participation.models.demand import DataDemand
from portal.actor import Actor
from portal.permissions import Rules, has_staff_role, is_bureau


class ParticipationPermission(StrEnum):
    TEXT_READ = "participation:read"
    TEXT_REVIEW = "participation:review"
    DEMAND_WORK = "demand:work"
    QUESTION_ANSWER = "question:answer"


def is_shown(_actor: Actor, text: Any) -> bool:
    return bool(text.is_shown)


def is_author(actor: Actor, text: Any) -> bool:
    return actor.account_id is not None and actor.account_id == text.author_id


def is_assigned_agency(actor: Actor, text: Any) -> bool:
    return isinstance(text, DataDemand) and text.agency_id in actor.acts_for("agency")


def acts_for_assigned(actor: Actor, demand: DataDemand) -> bool:
    return demand.agency_id is not None and demand.agency_id in actor.acts_for("agency")


def acts_for_its_provider(actor: Actor, comment: EntryComment) -> bool:
    return comment.entry.provider_id in actor.acts_for("agency")


RULES: Rules = {
    ParticipationPermission.TEXT_READ: [
        [is_shown],
        [is_author],
        [is_bureau],
        [is_assigned_agency],
    ],
    ParticipationPermission.TEXT_REVIEW: [[is_bureau]],
    ParticipationPermission.DEMAND_WORK: [[is_bureau], [has_staff_role, acts_for_assigned]],
    ParticipationPermission.QUESTION_ANSWER: [[is_shown, acts_for_its_provider]],
}
