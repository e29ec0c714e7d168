"""`datastore_create`, `datastore_upsert`, `datastore_delete`: tables written row by row by an editor's token.

Each call is one delivery (see `portal.services.api_tables`): whole or nothing, held until the release
checks have looked, found by `datastore_search` once a worker has read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import orjson
from pydantic import AliasChoices, BeforeValidator, Field

from portal.api.action import Action, Call
from portal.api.inputs import LONGEST_KEY, Flag, Input, JsonObject, TextList, json_object
from portal.api.packages import readable_entry
from portal.errors import Invalid
from portal.models.distribution import Distribution, get_distribution
from portal.models.entry import CatalogueEntry
from portal.permissions import Permission
from portal.services.api_tables import (
    NO_TABLE,
    ApiTableService,
    PreparedTable,
    TableState,
    check_writable,
    prepare_create,
    prepare_delete,
    prepare_upsert,
)
from portal.services.distributions import NAME_MAX, DistributionService
from portal.web.access import Access


def _json_list(value: Any) -> Any:
    if not isinstance(value, str):
        return [] if value is None else value
    try:
        return orjson.loads(value) if value.strip() else []
    except orjson.JSONDecodeError as error:
        raise ValueError("列表的 JSON 格式不对。") from error


JsonList = Annotated[list[Any], BeforeValidator(_json_list)]
ResourceId = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_KEY, validation_alias=AliasChoices("resource_id", "id")),
]


class DatastoreCreate(Input):
    resource_id: str = Field(
        default="", max_length=LONGEST_KEY, validation_alias=AliasChoices("resource_id", "id")
    )
    resource: JsonObject = Field(default_factory=dict)
    fields: JsonList = Field(default_factory=list)
    primary_key: TextList | None = None
    records: JsonList = Field(default_factory=list)
    force: Flag = False
    include_records: Flag = False


class DatastoreUpsert(Input):
    resource_id: ResourceId
    records: JsonList = Field(default_factory=list)
    method: Literal["upsert", "insert", "update"] = "upsert"
    dry_run: Flag = False
    include_records: Flag = False


class DatastoreDelete(Input):
    resource_id: ResourceId
    filters: Annotated[dict[str, Any], BeforeValidator(json_object)] | None = None


def _writable(call: Call, resource_id: str) -> Distribution:
    distribution = get_distribution(call.session, resource_id)
    readable_entry(call, distribution.entry.public_id)
    call.require(Permission.DISTRIBUTION_WRITE, distribution.entry)
    return distribution


def _new_resource(call: Call, resource: Mapping[str, Any]) -> CatalogueEntry:
    key = resource.get("package_id")
    if not isinstance(key, str) or not key:
        raise Invalid.one(
            "resource_id", "missing", "请填写 resource_id，或在 resource 里写出 package_id。"
        )
    entry = readable_entry(call, key)
    call.require(Permission.DISTRIBUTION_WRITE, entry)
    return entry


def _prepare_create(call: Call, given: DatastoreCreate) -> PreparedTable:
    found = NO_TABLE
    if given.resource_id:
        distribution = _writable(call, given.resource_id)
        check_writable(distribution, force=given.force)
        found = TableState.of(distribution)
    else:
        _new_resource(call, given.resource)
    return prepare_create(
        call.platform.storage,
        found,
        fields=given.fields,
        primary_key=given.primary_key,
        records=given.records,
        max_bytes=call.platform.settings.max_upload_bytes,
    )


def datastore_create(call: Call, given: DatastoreCreate) -> dict[str, Any]:
    """Make a table, or add columns and rows to one.

    resource_id of a resource, or resource: {package_id, name} to make one; fields: [{id, type, info}]
    with type text, int, numeric, date, timestamp, bool or json; primary_key: list of columns;
    records: list of objects; force: turn an uploaded file into such a table. All records are written
    or none. The rows can be searched once the release checks have let them go.
    """
    prepared: PreparedTable = call.prepared
    if given.resource_id:
        distribution = _writable(call, given.resource_id)
    else:
        name = str(given.resource.get("name") or "数据表")[:NAME_MAX]
        distribution = DistributionService(call.session, call.platform.clock).add_table(
            call.actor,
            _new_resource(call, given.resource),
            name=name,
            description=str(given.resource.get("description") or ""),
        )
    ApiTableService(call.session, call.platform.clock).deliver(call.actor, distribution, prepared)
    answer = {
        "resource_id": distribution.public_id,
        "package_id": distribution.entry.public_id,
        "method": "insert",
        "primary_key": list(prepared.table.primary_key),
        "fields": [{"id": f.id, "type": f.type} for f in prepared.table.fields],
        "total": prepared.rows,
    }
    return answer | ({"records": given.records} if given.include_records else {})


def _prepare_upsert(call: Call, given: DatastoreUpsert) -> PreparedTable:
    return prepare_upsert(
        call.platform.storage,
        TableState.of(_writable(call, given.resource_id)),
        records=given.records,
        method=given.method,
        max_bytes=call.platform.settings.max_upload_bytes,
    )


def datastore_upsert(call: Call, given: DatastoreUpsert) -> dict[str, Any]:
    """Change and add rows of a table made by datastore_create. All records are written or none.

    resource_id; records: list of objects; method: upsert (a row with the key is changed, else added),
    insert, or update (the row must be there); keys that are not sent stay as they are. dry_run: only
    look whether it would succeed.
    """
    prepared: PreparedTable = call.prepared
    distribution = _writable(call, given.resource_id)
    if not given.dry_run:
        service = ApiTableService(call.session, call.platform.clock)
        service.deliver(call.actor, distribution, prepared)
    answer = {"resource_id": given.resource_id, "method": given.method, "total": prepared.rows}
    return answer | ({"records": given.records} if given.include_records else {})


def _prepare_delete(call: Call, given: DatastoreDelete) -> PreparedTable | None:
    distribution = _writable(call, given.resource_id)
    if given.filters is None:
        return None
    return prepare_delete(
        call.platform.storage,
        TableState.of(distribution),
        filters=given.filters,
        max_bytes=call.platform.settings.max_upload_bytes,
    )


def datastore_delete(call: Call, given: DatastoreDelete) -> dict[str, Any]:
    """Delete rows of a table made by datastore_create, or the table.

    resource_id; filters: {column: value or list of values}, {} for all rows; without filters the
    whole table goes and the resource stays. Earlier forms stay in the archive.
    """
    distribution = _writable(call, given.resource_id)
    service = ApiTableService(call.session, call.platform.clock)
    answer: dict[str, Any] = {"resource_id": given.resource_id}
    if call.prepared is None:
        check_writable(distribution, force=False)
        service.drop(call.actor, distribution)
        return answer
    service.deliver(call.actor, distribution, call.prepared)
    return answer | {"filters": given.filters, "deleted": call.prepared.changed}


class DatastoreRecordsDelete(DatastoreDelete):
    filters: Annotated[dict[str, Any], BeforeValidator(json_object)]


def datastore_records_delete(call: Call, given: DatastoreRecordsDelete) -> dict[str, Any]:
    """Delete rows as datastore_delete does; filters must be sent, so that no table goes by mistake."""
    return datastore_delete(call, given)


ACTIONS = (
    Action(
        "datastore_create",
        Access.WRITE,
        datastore_create,
        DatastoreCreate,
        prepare=_prepare_create,
    ),
    Action(
        "datastore_upsert",
        Access.WRITE,
        datastore_upsert,
        DatastoreUpsert,
        prepare=_prepare_upsert,
    ),
    Action(
        "datastore_delete",
        Access.WRITE,
        datastore_delete,
        DatastoreDelete,
        prepare=_prepare_delete,
    ),
    Action(
        "datastore_records_delete",
        Access.WRITE,
        datastore_records_delete,
        DatastoreRecordsDelete,
        prepare=_prepare_delete,
    ),
)
