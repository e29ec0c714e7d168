"""Participation: data demands (F17), following, the gallery of reuses, comments and ratings."""

from pathlib import Path

from extensions.participation.api.following import ACTIONS
from extensions.participation.flow import BINDING
from extensions.participation.permissions import RULES
from extensions.participation.samples import sample_participation
from extensions.participation.services import hooks, overview, timers, value_signals
from extensions.participation.web import demands, discussion, panel, reuses, sharing, topics, work
from portal.extension import Extension, NavigationItem
from portal.jobs.registry import JobKind

extension = Extension(
    name="participation",
    routes=(
        demands.blueprint,
        discussion.blueprint,
        reuses.blueprint,
        sharing.blueprint,
        topics.blueprint,
        work.blueprint,
    ),
    flows=(BINDING,),
    permissions=RULES,
    audiences={
        "followers": hooks.followers,
        "requesters": hooks.requesters,
        "voters": hooks.voters,
    },
    jobs=(JobKind("participation_timers", timers.run_timers, cron="*/5 * * * *"),),
    migrations=Path(__file__).parent / "migrations",
    signals=(value_signals.distinct_voters, value_signals.approved_reuses),
    panels=(panel.participation_panel,),
    empty_search_offers=(hooks.offer_demand,),
    work=(hooks.waiting_work,),
    overview=overview.COLUMNS,
    actions=ACTIONS,
    public_uses=(hooks.file_public_use,),
    finish_samples=(sample_participation,),
    navigation=(
        NavigationItem("数据需求", "participation_demands.demands", icon="message-square"),
        NavigationItem("应用成果", "participation_reuses.reuses", icon="lightbulb"),
        NavigationItem("我的关注", "participation_discussion.follows", "signed_in", icon="star"),
        NavigationItem("数据需求", "participation_work.demands", "work", icon="message-square"),
    ),
)
