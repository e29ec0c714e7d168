"""Several data sets in one call, whole or nothing; and what is refused because nothing published is wiped."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, ById, Input, TextList
from portal.api.package_writing import DELETE_REASON, PackageDelete, package_delete
from portal.api.packages import readable_entry
from portal.errors import Forbidden, Invalid, NotFound
from portal.models.distribution import list_distributions
from portal.models.organisation import get_organisation
from portal.permissions import Permission
from portal.services.distributions import DistributionService
from portal.web.access import Access

MOST = 1000


class BulkDelete(Input):
    datasets: TextList = Field(min_length=1, max_length=MOST)
    org_id: str = Field(min_length=1, max_length=LONGEST_KEY)
    reason: str = Field(default=DELETE_REASON, max_length=2000)


def bulk_update_delete(call: Call, given: BulkDelete) -> None:
    """Delete data sets of one organisation as package_delete does, all of them or none.

    datasets: list of ids or names (at most 1000); org_id: their organisation; reason.
    """
    place = get_organisation(call.session, given.org_id)
    for key in dict.fromkeys(given.datasets):
        entry = readable_entry(call, key)
        if entry.provider_id != place.id:
            raise NotFound("“{key}”不是该部门的数据。", key=key[:100])
        package_delete(call, PackageDelete(id=entry.public_id, reason=given.reason))
    call.session.flush()


class Visibility(Input):
    datasets: TextList = Field(default_factory=list)
    org_id: str = Field(default="", max_length=LONGEST_KEY)


def bulk_update_private(_call: Call, _given: Visibility) -> None:
    """Refuse: what is published is withdrawn with a reason (package_delete), never hidden."""
    raise Forbidden("已公布的数据不能改为私有；确需撤下时请用 package_delete 并写明理由。")


def bulk_update_public(_call: Call, _given: Visibility) -> None:
    """Refuse: a data set becomes public by submission and review, one by one."""
    raise Forbidden("目录须经提交和审核后公布，不能批量改为公开。")


def dataset_purge(_call: Call, _given: ById) -> None:
    """Refuse: what was published stays in the archive; package_delete withdraws it with a reason."""
    raise Forbidden("公布过的数据不能清除，只能撤下（package_delete），其记录和理由会保留。")


class Reorder(ById):
    order: TextList = Field(default_factory=list)


def package_resource_reorder(call: Call, given: Reorder) -> dict[str, Any]:
    """Put the resources of a data set into another order: order (ids; those not named come after)."""
    entry = readable_entry(call, given.id)
    call.require(Permission.DISTRIBUTION_WRITE, entry)
    known = {one.public_id: one for one in list_distributions(call.session, entry.id)}
    strange = [key for key in given.order if key not in known]
    if strange or len(set(given.order)) != len(given.order):
        raise Invalid.one(
            "order", "unknown", "“order”应为该数据的资源编号，各出现一次：{key}。",
            key="、".join(strange)[:200],
        )  # fmt: skip
    service = DistributionService(call.session, call.platform.clock)
    order = [*given.order, *(key for key in known if key not in given.order)]
    for position, key in enumerate(order):
        service.change(call.actor, known[key], position=position)
    return {"id": entry.public_id, "order": order}


ACTIONS = (
    Action("bulk_update_delete", Access.WRITE, bulk_update_delete, BulkDelete),
    Action("bulk_update_private", Access.WRITE, bulk_update_private, Visibility),
    Action("bulk_update_public", Access.WRITE, bulk_update_public, Visibility),
    Action("dataset_purge", Access.WRITE, dataset_purge, ById),
    Action("package_resource_reorder", Access.WRITE, package_resource_reorder, Reorder),
)
