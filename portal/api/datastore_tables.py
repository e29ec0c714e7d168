"""Tables as the DataStore's actions name them: which one, who may read it, what its columns are called.

A table that was written through the API keeps the names and types of who wrote it; the columns of an
uploaded file go by their field names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.api.action import Call
from portal.api.packages import readable_entry
from portal.errors import NotFound
from portal.models.distribution import Distribution, get_distribution
from portal.permissions import Permission
from portal.services.content import content_of
from portal.services.downloads import check_download
from portal.services.open_columns import open_table
from portal.services.opening import check_open, find_opening
from portal.tables.api_fields import ApiTable
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo

_TYPES = {
    ColumnType.TEXT: "text",
    ColumnType.INTEGER: "int8",
    ColumnType.NUMBER: "numeric",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "timestamp",
}


@dataclass(frozen=True)
class WireTable:
    """An open table with its outward names. `written` is set where it was written through the API."""

    info: TableInfo
    written: ApiTable | None

    def id_of(self, column: Column) -> str:
        return column.name if self.written else column.field_name

    def type_of(self, column: Column) -> str:
        kind = self.written.types.get(column.name) if self.written else None
        return kind or _TYPES[column.type]

    @property
    def names(self) -> dict[str, str]:
        """Every name by which a caller may mean a column -> its field name."""
        by_name = {c.name: c.field_name for c in self.info.columns}
        by_field = {c.field_name: c.field_name for c in self.info.columns}
        return by_field | by_name if self.written else by_name | by_field

    def field(self, column: Column) -> dict[str, Any]:
        return {
            "id": self.id_of(column),
            "type": self.type_of(column),
            "info": {"label": column.name, **self._info(column)},
        }

    def _info(self, column: Column) -> dict[str, Any]:
        fields = self.written.fields if self.written else ()
        return next((dict(one.info) for one in fields if one.id == column.name), {})


def open_wire_table(call: Call, resource_id: str) -> WireTable:
    """Return the open table behind a resource.

    Raises:
        NotFound: no such resource, or no table in it, or none that may leave yet.
        Unauthenticated, Forbidden: its data is not open to the caller.
    """
    distribution = get_distribution(call.session, resource_id)
    entry = readable_entry(call, distribution.entry.public_id)
    check_download(call.actor, entry)
    check_open(call.actor, entry, find_opening(call.session, entry.id))
    version = entry.published_version
    info = None
    if version is not None:
        info = open_table(distribution.current_version, content_of(version))
    if info is None:
        raise _no_table(call, distribution)
    written = distribution.api_table
    return WireTable(info, ApiTable.from_dict(written) if written else None)


def _no_table(call: Call, distribution: Distribution) -> NotFound:
    """Tell those who write it why there is nothing to be read yet."""
    data = distribution.current_version
    if call.may(Permission.DISTRIBUTION_WRITE, distribution.entry):
        if data is None and distribution.api_table:
            return NotFound("数据文件“{key}”的表格还没有行。", key=distribution.public_id)
        if data is not None and (data.table_state == "pending" or data.hold):
            return NotFound(
                "数据文件“{key}”正在读取或审查，完成后可以查询。", key=distribution.public_id
            )
    return NotFound("数据文件“{key}”没有可查询的表格。", key=distribution.public_id)
