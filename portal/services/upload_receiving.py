"""Receive the bytes of a part: written and counted piece by piece, in short transactions.

Without a checksum every piece counts once it is written, so that a broken connection loses little.
With one, the part counts as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.db import Database
from portal.errors import Invalid, PortalError, TooLarge
from portal.services.uploads import Lease, UploadService
from portal.storage.base import Storage

PIECE_BYTES = 4 * 1024 * 1024
READ_BYTES = 256 * 1024
RENEW_SECONDS = 4.0
ALGORITHMS = ("sha256", "sha1")


class ChecksumMismatch(PortalError):
    """The part did not arrive as it was sent; nothing of it counts."""

    code = "checksum_mismatch"
    default_message = "这一块在传输中发生错误，请重新发送。"


@dataclass(frozen=True)
class Checksum:
    algorithm: str  # one of ALGORITHMS
    digest: bytes


class Receiver:
    def __init__(self, database: Database, storage: Storage, clock: Clock, *, hours: int) -> None:
        self._database, self._storage, self._clock = database, storage, clock
        self._hours = hours

    def receive(
        self,
        actor: Actor,
        public_id: str,
        offset: int,
        stream: BinaryIO,
        *,
        checksum: Checksum | None = None,
    ) -> int:
        """Take what comes on the stream; return the offset that counts now.

        Raises:
            NotFound, Forbidden, Gone, UploadLocked, WrongOffset: see `UploadService.lease`.
            TooLarge: more bytes than the upload has.
            ChecksumMismatch.
            StorageUnavailable: what was written before it counts.
        """
        if checksum is not None and checksum.algorithm not in ALGORITHMS:
            raise Invalid.one("Upload-Checksum", "unknown", "不支持这种校验算法。")
        with self._database.writing() as session:
            lease = self._service(session).lease(actor, public_id, offset)
        try:
            if checksum is None:
                return self._receive_pieces(lease, stream)
            return self._receive_checked(lease, stream, checksum)
        finally:
            with self._database.writing() as session:
                is_there = self._service(session).release(lease)
            if not is_there:  # cancelled while a piece was on its way, which is nobody's now
                self._storage.parts.remove(lease.public_id)

    def _receive_pieces(self, lease: Lease, stream: BinaryIO) -> int:
        offset = lease.offset
        pieces = _Pieces(stream, lambda: self._renew(lease))
        while piece := pieces.read():
            self._check_room(lease, offset + len(piece))
            part = self._write(lease, offset, piece)
            offset += len(piece)
            self._advance(lease, offset, [part])
        if pieces.broken is not None:
            raise pieces.broken
        return offset

    def _receive_checked(self, lease: Lease, stream: BinaryIO, checksum: Checksum) -> int:
        offset, parts = lease.offset, []
        digest = hashlib.new(checksum.algorithm)
        pieces = _Pieces(stream, lambda: self._renew(lease))
        try:
            while piece := pieces.read():
                self._check_room(lease, offset + len(piece))
                parts.append(self._write(lease, offset, piece))
                digest.update(piece)
                offset += len(piece)
            if pieces.broken is not None:
                raise pieces.broken
            if not hmac.compare_digest(digest.digest(), checksum.digest):
                raise ChecksumMismatch()
            self._advance(lease, offset, parts)
        except BaseException:
            self._storage.parts.discard(lease.public_id, [part for part in parts if part])
            raise
        return offset

    def _check_room(self, lease: Lease, offset: int) -> None:
        if offset > lease.size_bytes:
            raise TooLarge("发送的内容超过声明的文件大小。")

    def _write(self, lease: Lease, offset: int, piece: bytes) -> str:
        """Write while the lease holds; where writers could meet, they take turns and look again."""
        parts = self._storage.parts
        with parts.exclusive(lease.public_id):
            self._renew(lease)
            return parts.write(lease.public_id, offset, piece, lease.token)

    def _renew(self, lease: Lease) -> None:
        with self._database.writing() as session:
            self._service(session).renew(lease)

    def _advance(self, lease: Lease, offset: int, parts: list[str]) -> None:
        with self._database.writing() as session:
            self._service(session).advance(lease, offset, parts)

    def _service(self, session: Session) -> UploadService:
        return UploadService(session, self._clock, hours=self._hours)


class _Pieces:
    """Gathers a stream into pieces; a stream that breaks still gives what came before."""

    def __init__(self, stream: BinaryIO, keep: Callable[[], None]) -> None:
        self._stream = stream
        self._keep = keep
        self._renewed = time.monotonic()
        self.broken: Exception | None = None

    def read(self) -> bytes:
        held = bytearray()
        while self.broken is None and len(held) < PIECE_BYTES:
            try:
                got = self._stream.read(min(READ_BYTES, PIECE_BYTES - len(held)))
            except Exception as error:  # the connection's own; told once what came is kept
                self.broken = error
                break
            if not got:
                break
            held += got
            self._renew_in_time()
        return bytes(held)

    def _renew_in_time(self) -> None:
        """A slow sender keeps its turn; one that is silent loses it."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._keep()
            self._renewed = time.monotonic()
