"""Conditionally open data: applications, grants, keys and interfaces (Measures, art. 28)."""

from pathlib import Path

from extensions.access.api import gateway, oauth, rows
from extensions.access.flow import BINDING
from extensions.access.permissions import RULES
from extensions.access.samples import sample_applications, sample_interface
from extensions.access.services import availability, hooks, sandboxes, timers
from extensions.access.web import (
    attachments,
    dashboards,
    developer,
    interface_page,
    interfaces,
    keys,
    panel,
    policy,
    review,
    sandbox,
    upstream,
    use,
)
from portal.extension import Extension, NavigationItem
from portal.jobs.registry import JobKind

extension = Extension(
    name="access",
    routes=(
        developer.blueprint,
        review.blueprint,
        interfaces.blueprint,
        use.blueprint,
        interface_page.blueprint,
        sandbox.blueprint,
        dashboards.own,
        dashboards.work,
        attachments.blueprint,
        policy.blueprint,
        keys.blueprint,
        upstream.blueprint,
    ),
    apis=(rows.blueprint, gateway.blueprint, oauth.blueprint),
    flows=(BINDING,),
    permissions=RULES,
    audiences={"grantees": hooks.grantees},
    jobs=(
        JobKind("access_timers", timers.run_timers, cron="5 * * * *"),
        JobKind(sandboxes.WATCH, sandboxes.watch_sandboxes, cron="* * * * *"),
        JobKind(sandboxes.MAKE, sandboxes.make_sandbox),
        JobKind(availability.ADD_UP, availability.add_up_days, cron="7 * * * *"),
    ),
    migrations=Path(__file__).parent / "migrations",
    signals=(hooks.approved_applications,),
    panels=(panel.interface_panel,),
    interfaces=(hooks.listed_interfaces,),
    work=(hooks.waiting_applications,),
    obstacles=(hooks.open_applications,),
    samples=(sample_interface,),
    finish_samples=(sample_applications,),
    navigation=(
        NavigationItem("我的申请", "access_developer.centre", "signed_in", icon="code"),
        NavigationItem("数据申请", "access_review.applications", "work", icon="key-round"),
        NavigationItem("接口调用", "access_work_use.work_use", "work", icon="chart-column"),
        NavigationItem("审批规则", "access_policy.show", "work", icon="list"),
    ),
)
