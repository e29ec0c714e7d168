"""Why a call of an interface was refused: code, status, and its sentence in two languages."""

from __future__ import annotations

from dataclasses import dataclass

from portal.errors import PortalError


@dataclass(frozen=True)
class Refusal:
    status: int
    zh: str
    en: str


REFUSALS = {
    "credential_in_url": Refusal(
        400,
        "密钥不能写在网址中：网址会留在日志和浏览记录里。请放在请求头 Authorization: Bearer <密钥> "
        "或 X-API-Key 中，并尽快更换这个密钥。",
        "A key must not stand in the address, which logs and histories keep. Send it in the header "
        "Authorization: Bearer <key> or X-API-Key, and rotate this key soon.",
    ),
    "key_missing": Refusal(
        401,
        "缺少密钥。请在请求头 Authorization: Bearer <密钥> 或 X-API-Key 中提供；没有密钥的，请先申请接口。",
        "No key was sent. Use the header Authorization: Bearer <key> or X-API-Key; apply for the "
        "interface if you have no key.",
    ),
    "key_unknown": Refusal(401, "密钥无效。请检查是否完整复制。", "The key is not valid."),
    "key_replaced": Refusal(
        403,
        "该密钥已停用或到期，请使用新密钥。",
        "This key was ended or has expired; use another one.",
    ),
    "grant_revoked": Refusal(
        403, "授权已撤销，不能再调用。", "The grant was revoked; the interface cannot be called."
    ),
    "grant_suspended": Refusal(
        403,
        "授权已暂停，请在开发者中心查看原因。",
        "The grant is suspended; see the developer centre for the reason.",
    ),
    "grant_expired": Refusal(
        403,
        "授权已到期，请在开发者中心重新申请。",
        "The grant has expired; apply again in the developer centre.",
    ),
    "wrong_interface": Refusal(
        403, "该密钥不能用于这个接口。", "This key does not open this interface."
    ),
    "entry_not_open": Refusal(
        403,
        "该数据已暂停开放、移出开放清单或停用接口，暂不能调用。",
        "The data is suspended or no longer on the open list; the interface cannot be called.",
    ),
    "unknown_interface": Refusal(404, "没有这个数据接口。", "There is no such interface."),
    "no_data": Refusal(
        503,
        "数据尚未就绪，请稍后重试。",
        "The data is not ready yet; try again later.",
    ),
    "bad_query": Refusal(400, "请求参数有误，请按提示修改。", "The parameters are not right."),
    "cursor_outdated": Refusal(
        409,
        "数据或授权在翻页期间已更新，原游标失效，请从第一页重新读取。",
        "The data or the grant changed while you were paging; start again from the first page.",
    ),
    "too_many_rows": Refusal(
        422,
        "结果超过一次导出的行数上限，请增加筛选条件分次读取。",
        "The result has more rows than one export may give; narrow it by filters.",
    ),
    "too_many_groups": Refusal(
        422,
        "分组过多，请减少分组字段或增加筛选条件。",
        "There are too many groups; group by fewer fields or narrow the rows by filters.",
    ),
    "unavailable": Refusal(
        503,
        "查询用时过长或服务繁忙，请增加筛选条件后重试。",
        "The query took too long or the service is busy; narrow it and try again.",
    ),
    "token_invalid": Refusal(
        401,
        "访问令牌无效。请用应用编号和密钥重新换取。",
        "The access token is not valid; get a new one with your client id and secret.",
    ),
    "token_expired": Refusal(
        401,
        "访问令牌已过期，请重新换取。",
        "The access token has expired; get a new one.",
    ),
    "not_offered": Refusal(
        404,
        "这个接口由提供单位的服务直接应答，不提供计数和分组统计。",
        "This interface is answered by the agency's own service and offers neither counts nor groups.",
    ),
    "upstream_unavailable": Refusal(
        503,
        "提供单位的服务暂时不可用，请在 {seconds} 秒后重试。",
        "The agency's service is unavailable for now; try again in {seconds} seconds.",
    ),
    "upstream_timeout": Refusal(
        504,
        "提供单位的服务没有在规定时间内应答，请稍后重试。",
        "The agency's service did not answer in time; try again later.",
    ),
    "upstream_failed": Refusal(
        502,
        "提供单位的服务没有正常应答，请稍后重试。",
        "The agency's service did not answer properly; try again later.",
    ),
    "upstream_bad_answer": Refusal(
        502,
        "提供单位的服务返回的内容与信息项不符，已拒绝转发。",
        "What the agency's service answered does not fit the information items and was withheld.",
    ),
    "quota_second": Refusal(
        429,
        "调用过于频繁，已超过每秒上限，请在 {seconds} 秒后重试。",
        "Too many calls this second; try again in {seconds} seconds.",
    ),
    "quota_term": Refusal(
        429,
        "授权期内的调用总次数已用完，请申请续期或增加额度。",
        "All calls of the grant's term are used up; apply for renewal or a larger allowance.",
    ),
    "quota_minute": Refusal(
        429,
        "调用过于频繁，已超过每分钟上限，请在 {seconds} 秒后重试。",
        "Too many calls this minute; try again in {seconds} seconds.",
    ),
    "quota_rows": Refusal(
        429,
        "今日已读取的行数接近授权的上限，不能再导出这么多行，请增加筛选条件，或在 {seconds} 秒后重试。",
        "The rows of today's calls near the limit of the grant; narrow the export by filters, or try "
        "again in {seconds} seconds.",
    ),
    "streams_busy": Refusal(
        429,
        "该授权正在进行的导出过多，请等前面的导出结束，或在 {seconds} 秒后重试。",
        "The grant has too many exports under way; wait for one to end, or try again in {seconds} "
        "seconds.",
    ),
    "quota_day": Refusal(
        429,
        "今日调用次数已用完，请在 {seconds} 秒后重试。",
        "Today's calls are used up; try again in {seconds} seconds.",
    ),
}


@dataclass(frozen=True)
class Caller:
    """The grant and the key that a call came with."""

    application_id: int
    key_id: int


class CallRefused(PortalError):
    """A call is refused; `code` is a key of REFUSALS."""

    def __init__(self, code: str, *, seconds: int = 0) -> None:
        self.code = code
        self.seconds = seconds
        self.refusal = REFUSALS[code]
        self.caller: Caller | None = None  # whose call it was, where the credential told
        super().__init__(self.refusal.zh, seconds=seconds)

    def sentence(self, language: str) -> str:
        text = self.refusal.en if language == "en" else self.refusal.zh
        return text.format(seconds=self.seconds)
