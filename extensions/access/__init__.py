"""Conditionally open data: applications, grants, keys and interfaces (Measures, art. 28)."""

from pathlib import Path

from extensions.access.api import rows
from extensions.access.flow import BINDING
from extensions.access.permissions import RULES
from extensions.access.services import hooks, timers
from portal.extension import Extension
from portal.jobs.registry import JobKind

extension = Extension(
    name="access",
    apis=(rows.blueprint,),
    flows=(BINDING,),
    permissions=RULES,
    audiences={"grantees": hooks.grantees},
    jobs=(JobKind("access_timers", timers.run_timers, cron="5 * * * *"),),
    migrations=Path(__file__).parent / "migrations",
    signals=(hooks.approved_applications,),
    work=(hooks.waiting_applications,),
)
