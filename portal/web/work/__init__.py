"""The pages of agencies and the Bureau."""

from portal.web.work import (
    account,
    accounts,
    audit,
    entry_editor,
    files,
    imports,
    notices,
    open_list,
    overview,
    searches,
    sources,
    table_reading,
    uploads,
    value,
    versions,
    work_list,
)

WORK_BLUEPRINTS = (
    work_list.blueprint,
    overview.blueprint,
    entry_editor.blueprint,
    versions.blueprint,
    value.blueprint,
    open_list.blueprint,
    files.blueprint,
    uploads.blueprint,
    table_reading.blueprint,
    imports.blueprint,
    notices.blueprint,
    audit.blueprint,
    searches.blueprint,
    sources.blueprint,
    accounts.blueprint,
    account.blueprint,
)
