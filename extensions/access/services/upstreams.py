"""Upstream services of interfaces: set up by the agency, tested, switched off. Never shows a secret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from extensions.access.errors import CallRefused
from extensions.access.models.interface import DataInterface
from extensions.access.models.upstream import UpstreamService
from extensions.access.row_filters import item_table
from extensions.access.sealing import open_sealed, seal
from extensions.access.upstream import Parameter, Target, call_upstream, checked_rows, rows_of
from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Defect, Invalid
from portal.permissions import Permission, require
from portal.rules.entry_content import EntryContent
from portal.services import audit

AUDIT_FLOW = "data_interface"
MAX_SECONDS, MAX_PARAMETERS, URL_MAX, SECRET_MAX = 10, 20, 500, 4_000
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
SEND_AS = re.compile(r"[A-Za-z][A-Za-z0-9_.\-\[\]]{0,62}")
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
POINTER = re.compile(r"(/[^/\x00-\x1f]{1,60}){0,6}")
RESERVED = frozenset({"fields", "format", "api_key", "apikey", "access_token", "authorization"})
FORBIDDEN_HEADERS = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "cookie", "accept"}
)


@dataclass(frozen=True)
class UpstreamForm:
    """What an agency types. `parameters` one a line: `name=send_as`, with `!` behind a required name;
    `secret` empty keeps the present one, unless `drops_secret`."""

    url: str
    rows_path: str = ""
    parameters: str = ""
    seconds: int = 5
    secret_header: str = ""
    secret: str = ""
    drops_secret: bool = False


@dataclass(frozen=True)
class TestResult:
    """How a test call ended: `code` "" and `rows`, or a code of REFUSALS."""

    __test__ = False  # no test of pytest's

    code: str
    rows: int = 0
    fields: tuple[str, ...] = ()


def read_parameters(text: str) -> tuple[Parameter, ...]:
    """Return the declared parameters. Raises Invalid naming the line."""
    found = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        left, _, right = line.partition("=")
        name = left.strip().removesuffix("!").strip()
        send_as = right.strip() or name
        if not NAME.fullmatch(name) or not SEND_AS.fullmatch(send_as) or name in RESERVED:
            message = "第{n}行参数的写法不对，应为“名称=上游名称”，必填的在名称后加“!”。"
            raise Invalid.one("parameters", "format", message, n=number)
        found.append(Parameter(name, send_as, left.strip().endswith("!")))
    if len(found) > MAX_PARAMETERS or len({one.name for one in found}) < len(found):
        message = "参数最多{max}个，名称不能重复。"
        raise Invalid.one("parameters", "too_many", message, max=MAX_PARAMETERS)
    return tuple(found)


def as_lines(parameters: Sequence[dict[str, object]]) -> str:
    return "\n".join(
        f"{one['name']}{'!' if one['required'] else ''}={one['send_as']}" for one in parameters
    )


class UpstreamSetup:
    """Sets the upstream service of interfaces. Never commits; never calls."""

    def __init__(self, session: Session, clock: Clock, secret_key: str) -> None:
        self._session = session
        self._clock = clock
        self._secret_key = secret_key

    def find(self, interface: DataInterface) -> UpstreamService | None:
        return self._session.get(UpstreamService, interface.id)

    def save(
        self, actor: Actor, interface: DataInterface, form: UpstreamForm, *, seen: int
    ) -> UpstreamService:
        """Let the interface answer from this service from the next call on.

        Raises:
            Forbidden: the actor does not act for the provider.
            Invalid: every defect. Conflict: somebody changed it since `seen` (0: there was none).
        """
        require(actor, Permission.DISTRIBUTION_WRITE, interface.entry)
        kept = self.find(interface)
        if (kept.row_version if kept else 0) != seen:
            raise Conflict()
        # A secret goes to the address that it was entered for, and to no other.
        has_secret = kept is not None and kept.url == form.url and bool(kept.sealed_secret)
        defects = list(_defects(form, has_secret=has_secret))
        if defects:
            raise Invalid(defects)
        if kept is None:
            kept = UpstreamService(interface_id=interface.id, row_version=0, sealed_secret="")
            self._session.add(kept)
        if not has_secret:
            kept.sealed_secret = ""
        self._write(kept, form, actor)
        self._session.flush()
        self._record(actor, interface, "serve_upstream", {"host": urlsplit(form.url).netloc})
        return kept

    def _write(self, kept: UpstreamService, form: UpstreamForm, actor: Actor) -> None:
        kept.url, kept.rows_path, kept.seconds = form.url, form.rows_path, form.seconds
        kept.parameters = [vars(one) for one in read_parameters(form.parameters)]
        kept.secret_header = form.secret_header
        if form.secret or form.drops_secret:
            kept.sealed_secret = seal(form.secret, self._secret_key)
        kept.row_version += 1
        kept.updated_at, kept.updated_by = self._clock(), actor.account_id
        kept.tested_at, kept.test_code, kept.disabled_at = None, "none", None

    def disable(self, actor: Actor, interface: DataInterface) -> None:
        """Answer from the table again, if there is one."""
        require(actor, Permission.DISTRIBUTION_WRITE, interface.entry)
        kept = self.find(interface)
        if kept is None or kept.disabled_at is not None:
            raise Conflict("这个接口没有使用上游服务。")
        kept.disabled_at = self._clock()
        kept.row_version += 1
        self._record(actor, interface, "end_upstream", {})

    def tested(self, interface_id: int, row_version: int, result: TestResult) -> None:
        """Keep how a test of this very set-up ended."""
        kept = self._session.get(UpstreamService, interface_id)
        if kept is not None and kept.row_version == row_version:
            kept.tested_at, kept.test_code = self._clock(), result.code

    def _record(
        self, actor: Actor, interface: DataInterface, event: str, details: dict[str, object]
    ) -> None:
        audit.record(
            self._session,
            self._clock,
            actor,
            flow=AUDIT_FLOW,
            event=event,
            subject_id=interface.id,
            entry_id=interface.entry_id,
            details={"api_code": interface.api_code, **details},
        )


def try_upstream(
    content: EntryContent,
    fields: Sequence[str],
    target: Target,
    values: dict[str, str],
    *,
    secret_key: str,
    allowed_hosts: frozenset[str],
) -> TestResult:
    """Call the service once, outside of any transaction, and check its answer."""
    secret = open_sealed(target.sealed_secret, secret_key)
    if secret is None:
        return TestResult("upstream_failed")  # sealed under another SECRET_KEY
    table = item_table(content, fields)
    try:
        document = call_upstream(target, values, secret, allowed_hosts)
        rows = rows_of(document, target.rows_path)
        items = {item.field_name: item for item in content.items}
        checked = checked_rows(rows, table, items)
    except CallRefused as refused:
        return TestResult(refused.code)
    filled = {name for row in checked for name, value in row.items() if value is not None}
    return TestResult("", len(checked), tuple(name for name in fields if name in filled))


def _defects(form: UpstreamForm, *, has_secret: bool) -> list[Defect]:
    defects = []
    if not _is_address(form.url):
        message = "请填写 https:// 或 http:// 开头的完整网址，不含用户名和密码。"
        defects.append(Defect("url", "url", message))
    if not POINTER.fullmatch(form.rows_path):
        message = "数据行的位置应为 JSON 指针，如 /data/items；整个应答就是行时留空。"
        defects.append(Defect("rows_path", "format", message))
    if not 1 <= form.seconds <= MAX_SECONDS:
        params = {"max": MAX_SECONDS}
        defects.append(Defect("seconds", "out_of_range", "超时应为1至{max}秒。", params))
    try:
        read_parameters(form.parameters)
    except Invalid as error:
        defects += error.defects
    defects += _secret_defects(form, has_secret)
    return defects


def _secret_defects(form: UpstreamForm, has_secret: bool) -> list[Defect]:
    keeps = bool(form.secret) or (has_secret and not form.drops_secret)
    header = form.secret_header
    if (keeps or header) and (not HEADER.fullmatch(header) or header.lower() in FORBIDDEN_HEADERS):
        message = "请填写传送密钥的请求头名称，如 Authorization 或 X-App-Key。"
        return [Defect("secret_header", "format", message)]
    bad = not form.secret.isprintable() or not form.secret.isascii()
    if bad or len(form.secret) > SECRET_MAX:
        return [Defect("secret", "format", "密钥只能由一行可见的 ASCII 字符组成。")]
    return []


def _is_address(url: str) -> bool:
    if not url.isprintable() or not url.isascii() or " " in url or len(url) > URL_MAX:
        return False
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(host)
        and "@" not in parts.netloc
        and not parts.fragment
        and "\\" not in url
    )
