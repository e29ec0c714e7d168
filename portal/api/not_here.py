"""Actions of CKAN for things that this portal has not, or keeps out of the API.

A client that calls one is told why, in the shape of CKAN's errors, instead of "unknown action": a
script that asks for what is optional goes on, and a person learns where the thing is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.api.action import Action, Call
from portal.api.inputs import ById, Input
from portal.api.packages import readable_entry
from portal.errors import Forbidden, NotFound, Unauthenticated
from portal.models.account import Account
from portal.web.access import Access

ACCOUNTS = "账号在“账号管理”和“人员”页面办理，不能通过接口办理。"
MEMBERS = "机构人员在“人员”页面办理，主题没有成员，不能通过接口办理。"
VIEWS = "每个数据表的预览在数据页面上，没有可以增改的视图。"
WORDS = "没有可以增改的词表：关键词随数据填写，代码由标准规定。"
OWNERS = "提供单位的变更按职责移交办理，不能通过接口更改。"
SETTINGS = "平台的设置和任务不能通过接口查看或更改。"
FOLLOWING = "谁关注了什么只有本人知道，也不能关注他人的账号。"

_REFUSED = {
    ACCOUNTS: ("user_create", "user_invite", "user_update", "user_patch", "user_delete"),
    MEMBERS: (
        "member_create", "member_delete", "organization_member_create",
        "organization_member_delete", "group_member_create", "group_member_delete",
        "package_collaborator_create", "package_collaborator_delete",
    ),
    VIEWS: (
        "resource_view_create", "resource_view_update", "resource_view_delete",
        "resource_view_reorder", "resource_view_clear", "resource_create_default_resource_views",
        "package_create_default_resource_views", "package_relationship_create",
        "package_relationship_update", "package_relationship_delete",
    ),
    WORDS: ("vocabulary_create", "vocabulary_update", "vocabulary_delete", "tag_create",
            "tag_delete", "group_purge", "term_translation_update"),
    OWNERS: ("package_owner_org_update",),
    SETTINGS: ("config_option_update", "job_clear", "job_cancel", "task_status_update"),
    FOLLOWING: ("follow_user", "unfollow_user"),
}  # fmt: skip
_SECRET = {
    SETTINGS: ("config_option_show", "job_list", "job_show", "get_site_user"),
    FOLLOWING: ("dataset_follower_list", "organization_follower_list", "group_follower_list",
                "user_follower_list"),
}  # fmt: skip


def _refusing(reason: str) -> Callable[[Call, Any], Any]:
    def refuse(call: Call, _given: Any) -> None:
        """Refuse: this is not done through the API; the answer says where."""
        raise Unauthenticated() if call.actor.is_anonymous else Forbidden(reason)

    return refuse


def nothing(_call: Call, _given: Input) -> list[Any]:
    """Return nothing: there is none of this here."""
    return []


def resource_view_show(_call: Call, given: ById) -> None:
    """Find nothing: each table has one view, on the data set's page."""
    raise NotFound("没有视图“{key}”。", key=given.id)


def task_status_show(_call: Call, _given: Input) -> None:
    """Find nothing: there are no tasks of this kind."""
    raise NotFound()


def package_collaborator_list(call: Call, given: ById) -> list[Any]:
    """Return nothing: a data set is edited by its agency, not by single collaborators."""
    readable_entry(call, given.id)
    return []


def member_roles_list(_call: Call, _given: Input) -> list[dict[str, str]]:
    """Return the roles as CKAN's clients know them; `organization_list_for_user` uses the same."""
    return [
        {"text": "管理员", "value": "admin"},
        {"text": "编辑", "value": "editor"},
        {"text": "成员", "value": "member"},
    ]


class UserTyped(Input):
    q: str = ""
    limit: int = 20


def user_autocomplete(call: Call, given: UserTyped) -> list[dict[str, str]]:
    """Return the caller's own account if its name holds `q`; nobody learns of others."""
    if call.actor.account_id is None:
        raise Unauthenticated()
    own = call.session.get_one(Account, call.actor.account_id)
    if given.q.casefold() not in f"{own.username} {own.display_name}".casefold():
        return []
    return [{"id": own.public_id, "name": own.username, "fullname": own.display_name}]


ACTIONS = (
    *(
        Action(name, Access.WRITE, _refusing(reason), Input)
        for reason, names in _REFUSED.items()
        for name in names
    ),
    *(
        Action(name, Access.READ, _refusing(reason), Input)
        for reason, names in _SECRET.items()
        for name in names
    ),
    *(
        Action(name, Access.PUBLIC, nothing, Input)
        for name in ("term_translation_show", "package_collaborator_list_for_user")
    ),
    Action("resource_view_show", Access.PUBLIC, resource_view_show, ById),
    Action("task_status_show", Access.READ, task_status_show, Input),
    Action("package_collaborator_list", Access.PUBLIC, package_collaborator_list, ById),
    Action("member_roles_list", Access.PUBLIC, member_roles_list, Input),
    Action("user_autocomplete", Access.READ, user_autocomplete, UserTyped),
)
