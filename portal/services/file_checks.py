"""Links of published data: tried every week, or fetched and kept where their source is mirrored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import requests
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.actor import SYSTEM
from portal.clock import Clock
from portal.db import Database
from portal.errors import PortalError, TooLarge
from portal.models.distribution import FILE, LINK, Distribution
from portal.models.entry import CatalogueEntry
from portal.models.file_check import (
    BROKEN,
    MIRRORED,
    REFUSED,
    UNREACHABLE,
    WAITING,
    WORKS,
    FileCheck,
)
from portal.models.harvest import MIRROR, HarvestSource
from portal.net import FetchFailed, RefusedAddress
from portal.services.distributions import DistributionService, Upload
from portal.services.index_requests import request_index
from portal.storage.base import Storage, StoredObject

WEEK, DAY = timedelta(days=7), timedelta(days=1)
BATCH, EACH_HOST = 50, 10
_NO_HEAD = frozenset({400, 403, 404, 405, 501})
_BUSY = frozenset({408, 425, 429})
_IS_PAGE = "取得的是网页，不是数据文件。"


@dataclass(frozen=True)
class Due:
    """A link to try. `etag`, `last_modified`: of the copy that is kept, if one is."""

    check_id: int
    url: str
    mirror: bool
    is_page: bool
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Outcome:
    """What trying gave; `stored` when new bytes were fetched and kept."""

    state: str
    status: int | None = None
    reason: str = ""
    stored: StoredObject | None = None
    filename: str = ""
    etag: str = ""
    last_modified: str = ""


def plan_check(session: Session, clock: Clock, distribution: Distribution, url: str) -> None:
    """Let the link be tried soon: it is new, or leads elsewhere now."""
    check = session.scalars(
        select(FileCheck).where(FileCheck.distribution_id == distribution.id)
    ).first()
    if check is None:
        check = FileCheck(distribution_id=distribution.id)
        session.add(check)
    check.url, check.state, check.next_at = url, WAITING, clock()
    check.failures, check.etag, check.last_modified = 0, "", ""


def plan_missing(session: Session, clock: Clock, *, limit: int = 500) -> int:
    """Plan a check of links that have none; return how many."""
    query = (
        select(Distribution)
        .join(CatalogueEntry, CatalogueEntry.id == Distribution.entry_id)
        .outerjoin(FileCheck, FileCheck.distribution_id == Distribution.id)
        .where(
            Distribution.kind == LINK,
            Distribution.deleted_at.is_(None),
            Distribution.url != "",
            CatalogueEntry.published_version_id.is_not(None),
            FileCheck.id.is_(None),
        )
        .limit(limit)
    )
    found = list(session.scalars(query))
    for distribution in found:
        plan_check(session, clock, distribution, distribution.url)
    return len(found)


def list_due(session: Session, clock: Clock) -> list[Due]:
    """Return what is to be tried now, a few of each host."""
    query = (
        select(FileCheck, Distribution, HarvestSource.keep_files)
        .join(Distribution, Distribution.id == FileCheck.distribution_id)
        .join(CatalogueEntry, CatalogueEntry.id == Distribution.entry_id)
        .outerjoin(HarvestSource, HarvestSource.id == CatalogueEntry.source_id)
        .where(
            FileCheck.next_at <= clock(),
            Distribution.deleted_at.is_(None),
            Distribution.kind.in_((LINK, FILE)),
            CatalogueEntry.published_version_id.is_not(None),
            CatalogueEntry.retired_at.is_(None),
        )
        .order_by(FileCheck.next_at, FileCheck.id)
        .limit(BATCH * 10)
    )
    hosts: Counter[str] = Counter()
    found: list[Due] = []
    for check, distribution, keep_files in session.execute(query):
        host = urlsplit(check.url).netloc
        hosts[host] += 1
        if hosts[host] > EACH_HOST or len(found) >= BATCH:
            continue
        mirror = keep_files == MIRROR and distribution.remote_id is not None
        is_page = distribution.format in ("", "html", "htm")
        found.append(Due(check.id, check.url, mirror, is_page, check.etag, check.last_modified))
    return found


@dataclass(frozen=True)
class FileChecking:
    """Tries one link after the other; each result is a transaction of its own."""

    database: Database
    storage: Storage
    clock: Clock
    http: Callable[[], requests.Session]
    max_bytes: int

    def try_one(self, due: Due) -> Outcome:
        """Try a link and keep what was found."""
        try:
            with self.http() as http:
                outcome = self._fetched(http, due) if due.mirror else _tried(http, due)
        except RefusedAddress as error:
            outcome = Outcome(REFUSED, None, error.text())
        except TooLarge:
            outcome = Outcome(REFUSED, None, f"文件超过 {self.max_bytes} 字节，没有保存。")
        except FetchFailed as error:
            state = BROKEN if error.reason == "bad_url" else UNREACHABLE
            outcome = Outcome(state, None, error.text())
        with self.database.writing() as session:
            _keep(session, self.clock, due, outcome)
        return outcome

    def _fetched(self, http: requests.Session, due: Due) -> Outcome:
        headers = {"If-None-Match": due.etag} if due.etag else {}
        if due.last_modified:
            headers["If-Modified-Since"] = due.last_modified
        with http.get(due.url, headers=headers, stream=True) as response:
            if response.status_code == 304:
                return Outcome(MIRRORED, 304, "", None, "", due.etag, due.last_modified)
            found = _of_status(response.status_code)
            if found.state != WORKS:
                return found
            if not due.is_page and _is_page(response):
                return Outcome(BROKEN, response.status_code, _IS_PAGE)
            stored = self.storage.put(_Body(response), max_bytes=self.max_bytes)  # type: ignore[arg-type]
            name = unquote(urlsplit(response.url).path.rpartition("/")[2])
            etag = response.headers.get("ETag", "")[:200]
            changed = response.headers.get("Last-Modified", "")[:100]
        return Outcome(MIRRORED, 200, "", stored, name, etag, changed)


class _Body:
    """The part of a file that storage asks of a stream, over an answer that unpacks itself."""

    def __init__(self, response: requests.Response) -> None:
        self._pieces = response.iter_content(1 << 16)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._left) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._left += piece
        size = len(self._left) if size < 0 else size
        found, self._left = self._left[:size], self._left[size:]
        return found


def _tried(http: requests.Session, due: Due) -> Outcome:
    response = http.head(due.url, allow_redirects=True)
    if response.status_code in _NO_HEAD:
        with http.get(due.url, stream=True) as response:
            pass  # its status is what we came for
    found = _of_status(response.status_code)
    if found.state == WORKS and not due.is_page and _is_page(response):
        return Outcome(BROKEN, response.status_code, _IS_PAGE)
    return found


def _is_page(response: requests.Response) -> bool:
    return response.headers.get("Content-Type", "").lower().startswith("text/html")


def _of_status(status: int) -> Outcome:
    if status < 400:
        return Outcome(WORKS, status)
    if status >= 500 or status in _BUSY:
        return Outcome(UNREACHABLE, status, f"对方暂时不能应答（HTTP {status}）。")
    if status in (401, 403):
        return Outcome(BROKEN, status, f"对方要求登录或拒绝访问（HTTP {status}）。")
    return Outcome(BROKEN, status, f"文件不在该地址（HTTP {status}）。")


def _keep(session: Session, clock: Clock, due: Due, outcome: Outcome) -> None:
    check = session.get(FileCheck, due.check_id)
    if check is None or check.url != due.url:
        return  # the source has moved it meanwhile
    distribution = session.get_one(Distribution, check.distribution_id)
    before = check.state
    is_well = outcome.state in (WORKS, MIRRORED)
    check.state, check.status, check.reason = outcome.state, outcome.status, outcome.reason
    check.failures = 0 if is_well else check.failures + 1
    check.checked_at = clock()
    check.next_at = clock() + (WEEK if is_well or check.failures > 7 else DAY)
    if outcome.state == MIRRORED:
        check.etag, check.last_modified = outcome.etag, outcome.last_modified
    if outcome.stored is not None:
        name = outcome.filename or distribution.name
        if "." not in name and distribution.format:
            name = f"{name}.{distribution.format}"
        upload = Upload(outcome.stored, name, "从来源更新")
        try:
            DistributionService(session, clock).deliver(SYSTEM, distribution, upload)
        except PortalError as error:
            check.state, check.reason = REFUSED, error.text()
    if before != check.state:
        request_index(session, clock, distribution.entry)  # the page of the entry says so
