"""Flow F3, 本地区公共数据资源补充目录 (Measures, art. 15): guards and words.

The subject is a version of an entry that a city compiles. Its agency drafts and saves it by flow F1;
the city's authority, which stands as its responsible department, reviews and publishes.
"""

from __future__ import annotations

from portal.codes import region_and_ancestors
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.services.catalogue_flow import TABLE, complete_and_lawful, not_own_edit
from portal.services.content import content_of
from portal.services.flow import Attempt, FlowBinding, Organisations
from portal.services.guards import nothing_held, reason_given, refuse

FLOW = "supplementary_entry"
PROVINCE = "220000"


def own_region(attempt: Attempt) -> None:
    """The data, its provider and the authority are of one city, and the actor is of it."""
    entry: CatalogueEntry = attempt.subject.entry
    city = entry.responsible_dept.region_code
    region = content_of(attempt.subject).region
    if city == PROVINCE or city not in region_and_ancestors(region):
        raise refuse("region", "foreign", "补充目录只能登记本地区的数据，请检查“区域”。")
    if city not in region_and_ancestors(entry.provider.region_code):
        raise refuse("provider", "foreign", "只能为本地区的单位编制补充目录。")


def nothing_nearer(attempt: Attempt) -> None:
    """Another person than the editors; each of the nearest provincial entries has a reason."""
    not_own_edit(attempt)
    nothing_held(attempt)
    nearest = attempt.facts.get("nearest")
    if nearest is None:
        raise refuse("nearest", "not_shown", "请先查看省级目录中最相近的条目。")
    dismissed = attempt.facts.get("dismissed", {})
    for version in nearest:
        if not dismissed.get(version.entry_id, "").strip():
            raise refuse(
                f"dismiss.{version.entry_id}",
                "not_dismissed",
                "省级目录已有“{title}”。请说明它为什么不能覆盖本条；能覆盖的请退回。",
                title=version.title,
            )


def covered_by_provincial(attempt: Attempt) -> None:
    provincial = attempt.facts.get("provincial")
    if not isinstance(provincial, CatalogueEntry) or not provincial.is_public:
        raise refuse("provincial", "missing", "请填写已发布的省级目录条目的代码。")
    if provincial.supplementary:
        raise refuse("provincial", "supplementary", "补充目录不能并入另一条补充目录。")


def _organisations(version: EntryVersion) -> Organisations:
    entry = version.entry
    return {
        "agency": frozenset({entry.provider_id}),
        "city_authority": frozenset({entry.responsible_dept_id}),
    }


BINDING = FlowBinding(
    flow=FLOW,
    model=EntryVersion,
    rows=tuple(row for row in TABLE if row.flow == FLOW),
    guards={
        "own_region": own_region,
        "complete_and_lawful": complete_and_lawful,
        "nothing_nearer": nothing_nearer,
        "reason_given": reason_given,
        "covered_by_provincial": covered_by_provincial,
    },
    organisations=_organisations,
    title=lambda version: version.title,
    link=lambda version: f"/work/supplementary/{version.id}",
    entry_id=lambda version: version.entry_id,
    name="补充目录",
    event_labels={
        "create": "新建",
        "submit": "提交审核",
        "publish": "发布",
        "return": "退回修改",
        "absorb": "并入省级目录",
        "retire": "撤下",
    },
    state_labels={
        "draft": "草稿",
        "submitted": "待审核",
        "published": "已发布",
        "absorbed": "已并入省级目录",
        "retired": "已撤下",
    },
    stamps={"submit": "submitted_at", "publish": "published_at", "return": "returned_at"},
)
