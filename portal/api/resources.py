"""Resources: the files and links of a data set."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, ById, Input
from portal.api.packages import readable_entry
from portal.errors import Invalid
from portal.models.distribution import Distribution, get_distribution, list_distributions
from portal.permissions import Permission
from portal.services.distributions import DistributionService
from portal.services.package_resources import add_resource, change_resource, read_resource
from portal.services.resource_document import SITE, resource_dict
from portal.web.access import Access


class ResourceCreate(Input):
    package_id: str = Field(
        min_length=1,
        max_length=LONGEST_KEY,
        validation_alias=AliasChoices("package_id", "dataset_id"),
    )


def resource_show(call: Call, given: ById) -> dict[str, Any]:
    """Return one resource by its id."""
    return _shown(call, _readable(call, given.id))


def _readable(call: Call, resource_id: str) -> Distribution:
    distribution = get_distribution(call.session, resource_id)
    readable_entry(call, distribution.entry.public_id)
    return distribution


def _shown(call: Call, distribution: Distribution) -> dict[str, Any]:
    shown = resource_dict(distribution)
    shown["url"] = str(shown["url"]).replace(SITE, call.platform.settings.site_url.rstrip("/"))
    return shown


def _check_create(call: Call) -> None:
    key = call.data.get("package_id") or call.data.get("dataset_id")
    if not isinstance(key, str) or not key:
        raise Invalid.one("package_id", "missing", "缺少“{field}”。", field="package_id")
    call.require(Permission.DISTRIBUTION_WRITE, readable_entry(call, key))


def _check_change(call: Call) -> None:
    distribution = _readable(call, str(call.data.get("id", "")))
    call.require(Permission.DISTRIBUTION_WRITE, distribution.entry)


def resource_create(call: Call, given: ResourceCreate) -> dict[str, Any]:
    """Add a file (multipart field `upload`) or a link (`url`) to a data set."""
    entry = readable_entry(call, given.package_id)
    call.require(Permission.DISTRIBUTION_WRITE, entry)
    service = DistributionService(call.session, call.platform.clock)
    resource = read_resource(call.data)
    if call.upload is None:
        position = len(list_distributions(call.session, entry.id))
        distribution = add_resource(
            service, call.actor, entry, resource, position, call.platform.clock(), strict=True
        )
    else:
        distribution = service.add_file(
            call.actor,
            entry,
            call.upload,
            name=resource.name,
            description=resource.description,
            format=resource.format,
            public_id=resource.public_id or None,
        )
    return _shown(call, distribution)


def resource_update(call: Call, given: ById) -> dict[str, Any]:
    """Replace what a resource says of itself; with a file (`upload`), add a version of its data."""
    distribution = _readable(call, given.id)
    return _change(call, distribution, call.data)


def resource_patch(call: Call, given: ById) -> dict[str, Any]:
    """Change only the keys of a resource that are sent."""
    distribution = _readable(call, given.id)
    base = resource_dict(distribution)
    return _change(call, distribution, {**base, **call.data})


def _change(call: Call, distribution: Distribution, data: Any) -> dict[str, Any]:
    call.require(Permission.DISTRIBUTION_WRITE, distribution.entry)
    service = DistributionService(call.session, call.platform.clock)
    if call.upload is not None:
        service.deliver(call.actor, distribution, call.upload)
    change_resource(service, call.actor, distribution, read_resource(data), strict=True)
    call.session.flush()
    return _shown(call, distribution)


def resource_delete(call: Call, given: ById) -> None:
    """Take a resource off its data set; earlier versions of its data stay in the archive."""
    distribution = _readable(call, given.id)
    DistributionService(call.session, call.platform.clock).delete(call.actor, distribution)


ACTIONS = (
    Action("resource_show", Access.PUBLIC, resource_show, ById),
    Action(
        "resource_create",
        Access.WRITE,
        resource_create,
        ResourceCreate,
        before_upload=_check_create,
    ),
    Action("resource_update", Access.WRITE, resource_update, ById, before_upload=_check_change),
    Action("resource_patch", Access.WRITE, resource_patch, ById, before_upload=_check_change),
    Action("resource_delete", Access.WRITE, resource_delete, ById),
)
