"""Uploads in parts: who may begin one, how far it got, who is writing just now, when it ends.

Nothing of an upload is to be seen before a worker found it whole (`upload_finishing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.errors import Conflict, Forbidden, Gone, Invalid, TooLarge, TooManyRequests
from portal.jobs.queue import enqueue
from portal.models.distribution import Distribution
from portal.models.entry import CatalogueEntry
from portal.models.upload import FAILED, OPEN, RECEIVED, PartialUpload, get_partial_upload
from portal.permissions import Permission, require
from portal.services.distributions import NAME_MAX, safe_filename
from portal.storage.hashing import is_sha256

FINISH_UPLOAD = "finish_upload"
LEASE_SECONDS = 12
MAX_OPEN = 20  # of one account
MAX_PARTS = 20_000
TEXT_MAX = 4000


class UploadLocked(Conflict):
    """Another request is writing to the same upload."""

    code = "upload_locked"
    default_message = "这个文件正由另一个窗口或程序上传，请稍后再试。"


class WrongOffset(Conflict):
    """The sender goes on at another place than the server."""

    code = "wrong_offset"
    default_message = "续传位置不对：服务器已有 {offset} 字节。"


@dataclass(frozen=True)
class NewUpload:
    """What a sender says of the file before its first byte."""

    filename: str
    size_bytes: int
    name: str = ""
    description: str = ""
    reason: str = ""
    sha256: str = ""
    replaces: str = ""  # public id of the file that gets a new version


@dataclass(frozen=True)
class Lease:
    """The right to write to an upload until somebody else may take it over."""

    upload_id: int
    public_id: str
    token: str
    offset: int
    size_bytes: int


class UploadService:
    """Everything that may happen to an upload before it is whole. Never commits."""

    def __init__(self, session: Session, clock: Clock, *, hours: int = 48) -> None:
        self._session = session
        self._clock = clock
        self._keep = timedelta(hours=hours)

    def begin(
        self, actor: Actor, entry: CatalogueEntry, new: NewUpload, *, max_bytes: int
    ) -> PartialUpload:
        """Open an upload of an exact size.

        Raises:
            Forbidden, TooLarge, Invalid.
            TooManyRequests: the account has too many that are not finished.
        """
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        if actor.account_id is None:
            raise Forbidden()
        self._check(new, max_bytes)
        self._check_count(actor.account_id)
        now = self._clock()
        upload = PartialUpload(
            public_id=str(uuid4()),
            entry_id=entry.id,
            replaces_id=self._replaced(entry, new.replaces),
            account_id=actor.account_id,
            filename=safe_filename(new.filename),
            name=new.name[:NAME_MAX],
            description=new.description[:TEXT_MAX],
            reason=new.reason[:TEXT_MAX],
            size_bytes=new.size_bytes,
            offset_bytes=0,
            sha256=new.sha256.lower(),
            parts=[],
            stage=OPEN,
            created_at=now,
            expires_at=now + self._keep,
        )
        self._session.add(upload)
        self._session.flush()
        return upload

    def _check(self, new: NewUpload, max_bytes: int) -> None:
        if new.size_bytes > max_bytes:
            raise TooLarge("文件超过允许的大小（{max_bytes} 字节）。", max_bytes=max_bytes)
        if new.size_bytes <= 0:
            raise Invalid.one(
                "file", "empty_file", "文件是空的（0 字节）。请检查导出结果后重新上传。"
            )
        if not new.filename.strip():
            raise Invalid.one("file", "missing", "请选择要上传的文件。")
        if new.sha256 and not is_sha256(new.sha256.lower()):
            raise Invalid.one("sha256", "malformed", "sha256 应为 64 位十六进制数。")

    def _check_count(self, account_id: int) -> None:
        query = select(func.count(PartialUpload.id)).where(
            PartialUpload.account_id == account_id, PartialUpload.stage == OPEN
        )
        if (self._session.scalar(query) or 0) >= MAX_OPEN:
            raise TooManyRequests(
                "您有 {most} 个未完成的上传，请先完成或取消一些。",
                most=MAX_OPEN,
                retry_after_seconds=60,
            )

    def _replaced(self, entry: CatalogueEntry, public_id: str) -> int | None:
        if not public_id:
            return None
        query = select(Distribution.id).where(
            Distribution.entry_id == entry.id,
            Distribution.public_id == public_id,
            Distribution.deleted_at.is_(None),
        )
        found = self._session.scalar(query)
        if found is None:
            raise Invalid.one("replaces", "unknown", "没有编号为“{id}”的文件。", id=public_id[:100])
        return found

    def own(self, actor: Actor, public_id: str) -> PartialUpload:
        """Return an upload of the actor's.

        Raises:
            NotFound: there is none.
            Forbidden: somebody else began it, or the actor may no longer write to the entry.
        """
        upload = get_partial_upload(self._session, public_id)
        if upload.account_id != actor.account_id:
            raise Forbidden("这是他人的上传任务。")
        entry = self._session.get(CatalogueEntry, upload.entry_id)
        require(actor, Permission.DISTRIBUTION_WRITE, entry)
        return upload

    def unfinished(self, actor: Actor, entry_id: int) -> list[PartialUpload]:
        """Return the actor's uploads to an entry that are under way, or that failed."""
        query = (
            select(PartialUpload)
            .where(
                PartialUpload.entry_id == entry_id,
                PartialUpload.account_id == actor.account_id,
                PartialUpload.stage.in_((OPEN, RECEIVED, FAILED)),
            )
            .order_by(PartialUpload.id)
        )
        return list(self._session.scalars(query))

    def lease(self, actor: Actor, public_id: str, offset: int) -> Lease:
        """Take the right to write from `offset` on.

        Raises:
            NotFound, Forbidden.
            Gone: it expired or is not open any more.
            UploadLocked: another request is writing.
            WrongOffset: the server has more, or fewer, bytes.
        """
        upload = self.own(actor, public_id)
        self._session.refresh(upload, with_for_update=True)
        now = self._clock()
        if upload.stage != OPEN or upload.expires_at <= now:
            raise Gone("这个上传任务已结束或已过期。")
        if upload.lease and upload.leased_until is not None and upload.leased_until > now:
            raise UploadLocked()
        if upload.offset_bytes != offset:
            raise WrongOffset(offset=upload.offset_bytes)
        upload.lease = str(uuid4())
        upload.leased_until = now + timedelta(seconds=LEASE_SECONDS)
        return Lease(upload.id, upload.public_id, upload.lease, offset, upload.size_bytes)

    def renew(self, lease: Lease) -> None:
        """Raises: UploadLocked, somebody else took over meanwhile, or it was cancelled."""
        self._held(lease).leased_until = self._clock() + timedelta(seconds=LEASE_SECONDS)

    def advance(self, lease: Lease, offset: int, parts: list[str]) -> None:
        """Count the bytes up to `offset`, which storage has for good.

        Raises:
            UploadLocked: somebody else took over meanwhile.
        """
        upload = self._held(lease)
        now = self._clock()
        upload.offset_bytes = offset
        upload.parts = [*upload.parts, *(part for part in parts if part)]
        if len(upload.parts) > MAX_PARTS:
            raise TooLarge("分块过小，块数超过 {most}。请用较大的分块上传。", most=MAX_PARTS)
        upload.leased_until = now + timedelta(seconds=LEASE_SECONDS)
        upload.expires_at = now + self._keep

    def release(self, lease: Lease) -> bool:
        """Give the right back; with every byte there, a worker looks at the whole.

        Return False if the upload is no more: it was cancelled meanwhile.
        """
        upload = self._session.get(PartialUpload, lease.upload_id, with_for_update=True)
        if upload is None or upload.lease != lease.token:
            return upload is not None
        upload.lease, upload.leased_until = "", None
        if upload.stage == OPEN and upload.offset_bytes == upload.size_bytes:
            upload.stage = RECEIVED
            payload = {"upload_id": upload.id}
            key = f"upload:{upload.id}"
            enqueue(self._session, self._clock, FINISH_UPLOAD, payload, key=key)
        return True

    def cancel(self, actor: Actor, public_id: str) -> str:
        """Forget an upload that is not finished; return its name in storage.

        Raises:
            NotFound, Forbidden.
            Conflict: it is whole, and being looked at.
        """
        upload = self.own(actor, public_id)
        if upload.stage == RECEIVED:
            raise Conflict("文件已全部收到，正在校验，不能取消。")
        self._session.delete(upload)
        return upload.public_id

    def _held(self, lease: Lease) -> PartialUpload:
        upload = self._session.get(PartialUpload, lease.upload_id, with_for_update=True)
        if upload is None or upload.lease != lease.token:
            raise UploadLocked()
        return upload
