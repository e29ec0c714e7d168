"""Data quality: the sensitive-data scan before opening, checks with a score, quality issues (F14)."""

from pathlib import Path

from extensions.quality.flow import BINDING
from extensions.quality.permissions import RULES
from extensions.quality.scan import documents
from extensions.quality.scan.look import look_at_table
from extensions.quality.services import applying, groups, hooks, timers
from extensions.quality.services.inspections import InspectionIssues
from extensions.quality.services.reports import quality_of
from extensions.quality.services.sensitive import APPLY_JOB, judge_entry_again, keep_scan
from extensions.quality.web import issues, overview, panel, review, sensitive
from portal.extension import Extension, NavigationItem
from portal.jobs.registry import JobKind
from portal.services.release_checks import ReleaseCheck

extension = Extension(
    name="quality",
    routes=(overview.blueprint, issues.blueprint, sensitive.blueprint),
    flows=(BINDING,),
    permissions=RULES,
    audiences={"issue_owner": hooks.issue_owner, "issue_orderer": hooks.issue_orderer},
    jobs=(
        JobKind(APPLY_JOB, applying.apply_decisions),
        JobKind(groups.GROUPS_JOB, groups.count_groups),
        JobKind(timers.CHECK_JOB, timers.check_one),
        JobKind(timers.PENDING_JOB, timers.check_pending, cron="* * * * *"),
        JobKind("quality_nightly", timers.check_all, cron="10 2 * * *"),
        JobKind("quality_timers", timers.run_timers, cron="25 * * * *"),
    ),
    migrations=Path(__file__).parent / "migrations",
    panels=(panel.quality_panel, panel.documents_panel),
    review_checks=(review.quality_checks,),
    findings=(InspectionIssues(),),
    extras=(quality_of,),
    work=(hooks.waiting_reviews, hooks.waiting_issues),
    release_checks=(
        ReleaseCheck(
            "sensitive",
            look_at_table,
            keep_scan,
            judge_entry_again,
            documents.FORMATS,
            documents.look_at_document,
        ),
    ),
    navigation=(
        NavigationItem("数据质量", "quality_overview.overview", "work", icon="chart-column"),
        NavigationItem("敏感信息审查", "quality_sensitive.reviews", "work", icon="shield-check"),
    ),
)
