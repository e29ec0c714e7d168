"""Every error that a caller may act on.

`code` is stable and public. `message` is a Chinese sentence with named places; the web and
API layers translate it and fill the places in, so no layer builds text by hand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Defect:
    """One thing wrong with what was sent: where it is, what it is, what to do.

    `field` is the input's own name ("title", "items.3.field_name", "第 7 行"), empty for the whole.
    """

    field: str
    code: str
    message: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def text(self) -> str:
        return self.message.format(**self.params) if self.params else self.message


class PortalError(Exception):
    """Base of every error a caller may act on."""

    code = "error"
    default_message = "操作没有完成，请稍后重试。"

    def __init__(self, message: str | None = None, **params: Any) -> None:
        self.message = message or self.default_message
        self.params = params
        super().__init__(self.text())

    def text(self) -> str:
        return self.message.format(**self.params) if self.params else self.message


class NotFound(PortalError):
    code = "not_found"
    default_message = "没有找到您要的内容。"


class Gone(PortalError):
    code = "gone"
    default_message = "该内容已撤下。"


class Absorbed(Gone):
    """A data set that another one took in; `successor` (its name on the wire) is asked instead."""

    code = "absorbed"

    def __init__(self, *, title: str, day: str, successor: str, name: str, code: str) -> None:
        super().__init__(
            "“{title}”已于 {day} 并入省级目录“{name}”（{code}），请改用后者。",
            title=title,
            day=day,
            name=name,
            code=code,
        )
        self.successor = successor


class Unauthenticated(PortalError):
    code = "unauthenticated"
    default_message = "请先登录。"


class Forbidden(PortalError):
    code = "forbidden"
    default_message = "您没有进行此操作的权限。"


class IllegalEvent(PortalError):
    """The transition table has no such event in this state, or not for this actor."""

    code = "illegal_event"
    default_message = "当前状态“{state}”下不能进行操作“{event}”。"


class Conflict(PortalError):
    """Somebody else changed the thing first."""

    code = "conflict"
    default_message = "内容已被他人修改，请刷新后重试。"


class Invalid(PortalError):
    """The input is wrong; every defect is named at once."""

    code = "invalid"
    default_message = "提交的内容有误，请按提示修改。"

    def __init__(self, defects: Sequence[Defect], message: str | None = None) -> None:
        self.defects = tuple(defects)
        super().__init__(message)

    @classmethod
    def one(cls, field_name: str, code: str, message: str, **params: Any) -> Invalid:
        return cls([Defect(field_name, code, message, params)])


class GuardRefused(Invalid):
    """The event exists, but its condition in the transition table does not hold."""

    code = "guard_refused"
    default_message = "不满足办理条件，请按提示处理。"


class TooManyRequests(PortalError):
    code = "too_many_requests"
    default_message = "操作过于频繁，请在 {retry_after_seconds} 秒后重试。"


class Unavailable(PortalError):
    """A service that the portal rests on (search, storage) does not answer just now."""

    code = "unavailable"
    default_message = "服务暂时不可用，请稍后重试。"


class TooLarge(PortalError):
    code = "too_large"
    default_message = "内容超过允许的大小。"
