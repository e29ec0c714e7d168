"""Uploads in parts over HTTP: the tus protocol, rights, limits, and that no half file is seen."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.jobs.worker import Worker
from portal.models import CatalogueEntry, DataVersion, Distribution, PartialUpload
from portal.models.account import Account
from portal.models.entry import get_entry
from portal.platform import Platform
from portal.services import upload_receiving, uploads
from portal.services.accounts import actor_of
from portal.services.upload_finishing import ORPHAN_SECONDS, finish_upload, sweep_uploads
from tests.portal.web.work.conftest import Browser, Office, text_of

TABLE = "站点编码,站点名称,日客流量\n" + "".join(f"{n:06d},第{n}站,{n}\n" for n in range(500))
DATA = TABLE.encode()
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def entry(office: Office) -> CatalogueEntry:
    return office.made(lambda catalogue, people: catalogue.published())


def encoded(**values: str) -> str:
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in values.items())


@dataclass
class Sender:
    """A client that speaks tus with a signed-in browser's cookie and token."""

    browser: Browser
    token: str

    @classmethod
    def of(cls, browser: Browser) -> Sender:
        return cls(browser, browser.token())

    def call(self, method: str, path: str, data: bytes = b"", **headers: str) -> TestResponse:
        given = {**TUS, "X-CSRFToken": self.token}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.browser.client.open(path, method=method, data=data, headers=given)

    def begin(self, entry: CatalogueEntry, size: int = len(DATA), **said: str) -> TestResponse:
        metadata = encoded(**{"entry": entry.slug, "filename": "站点.csv", **said})
        return self.call("POST", "/work/uploads", Upload_Length=str(size), Upload_Metadata=metadata)

    def begun(self, entry: CatalogueEntry, size: int = len(DATA), **said: str) -> str:
        answer = self.begin(entry, size, **said)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def part(self, path: str, offset: int, data: bytes, **headers: str) -> TestResponse:
        headers = {"Content_Type": "application/offset+octet-stream", **headers}
        return self.call("PATCH", path, data, Upload_Offset=str(offset), **headers)

    def offset(self, path: str) -> int:
        answer = self.call("HEAD", path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        return int(answer.headers["Upload-Offset"])

    def state(self, path: str) -> dict[str, Any]:
        return self.browser.client.get(f"{path}/state").json


@pytest.fixture
def sender(editor: Browser) -> Sender:
    return Sender.of(editor)


def files(office: Office) -> list[Distribution]:
    return office.read(
        lambda s: list(s.scalars(select(Distribution).where(Distribution.deleted_at.is_(None))))
    )


def test_a_file_comes_in_parts_and_is_seen_only_when_whole(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry, name="站点", description="说明")
    answer = sender.part(path, 0, DATA[:1000])
    assert answer.status_code == 204
    assert answer.headers["Upload-Offset"] == "1000"
    assert "GMT" in answer.headers["Upload-Expires"]
    assert sender.offset(path) == 1000
    assert files(office) == []
    assert list(office.platform.storage.list()) == []
    assert sender.part(path, 1000, DATA[1000:]).status_code == 204
    assert sender.state(path)["state"] == "received"
    assert files(office) == []
    Worker(office.platform).run_until_idle()
    found = files(office)[0]
    assert (found.name, found.description) == ("站点", "说明")
    version = found.current_version
    assert version.sha256 == hashlib.sha256(DATA).hexdigest()
    assert version.filename == "站点.csv"
    assert sender.state(path) == {
        "state": "done", "offset": len(DATA), "size": len(DATA), "error": "",
        "file": found.public_id,
    }  # fmt: skip
    assert list(office.platform.storage.parts.list()) == []


def test_a_new_version_by_parts_keeps_its_reason(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    file = office.made(
        lambda catalogue, people: (
            catalogue.file(get_entry(catalogue._session, entry.slug)).public_id
        )
    )
    path = sender.begun(entry, replaces=file, reason="补充数据")
    sender.part(path, 0, DATA)
    Worker(office.platform).run_until_idle()
    versions = office.read(lambda s: list(s.scalars(select(DataVersion))))
    assert [(v.number, v.reason) for v in versions] == [(1, ""), (2, "补充数据")]


def test_the_server_says_what_it_can(sender: Sender) -> None:
    answer = sender.call("OPTIONS", "/work/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,termination,checksum,expiration"
    assert answer.headers["Tus-Max-Size"] == str(5 * 1024**3)
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"


def test_a_wrong_offset_is_a_conflict_and_changes_nothing(
    sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry)
    sender.part(path, 0, DATA[:10])
    for offset in (0, 9, 11):
        answer = sender.part(path, offset, b"xx")
        assert answer.status_code == 409
        assert "服务器已有 10 字节" in answer.json["error"]["message"]
    assert sender.offset(path) == 10


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_a_part_with_a_checksum_counts_as_a_whole_or_not_at_all(
    office: Office, sender: Sender, entry: CatalogueEntry, algorithm: str
) -> None:
    path = sender.begun(entry)

    def checksum(data: bytes) -> str:
        return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"

    assert sender.part(path, 0, DATA[:500], Upload_Checksum=checksum(b"else")).status_code == 460
    assert sender.offset(path) == 0
    assert sender.part(path, 0, DATA[:50], Upload_Checksum=checksum(DATA[:50])).status_code == 204
    assert sender.part(path, 50, DATA[50:], Upload_Checksum=checksum(DATA[50:])).status_code == 204
    Worker(office.platform).run_until_idle()
    assert files(office)[0].current_version.sha256 == hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize("given", ["md5 AAAA", "sha256 !!", "sha256"])
def test_a_checksum_that_cannot_be_read_is_refused(
    sender: Sender, entry: CatalogueEntry, given: str
) -> None:
    path = sender.begun(entry)
    assert sender.part(path, 0, b"x", Upload_Checksum=given).status_code in (422, 460)
    assert sender.offset(path) == 0


def test_a_whole_that_is_not_what_was_sent_comes_to_nothing(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry, sha256=hashlib.sha256(b"something else").hexdigest())
    sender.part(path, 0, DATA)
    Worker(office.platform).run_until_idle()
    state = sender.state(path)
    assert state["state"] == "failed"
    assert "SHA-256 不同" in state["error"]
    assert files(office) == []
    assert list(office.platform.storage.list()) == []
    assert list(office.platform.storage.parts.list()) == []
    page = text_of(sender.browser.get(f"/work/entries/{entry.slug}/files"))
    assert "SHA-256 不同" in page


def test_what_cannot_be_what_its_name_says_comes_to_nothing(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry, 20, filename="假.xlsx")
    sender.part(path, 0, b"not a workbook at al")
    Worker(office.platform).run_until_idle()
    assert "不是有效的 Excel 工作簿" in sender.state(path)["error"]
    assert list(office.platform.storage.list()) == []


def test_limits(make_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch) -> None:
    platform = make_platform("sqlite", max_resumable_bytes=1000)
    office = Office(platform, create_app(platform))
    entry = office.made(lambda catalogue, people: catalogue.published())
    sender = Sender.of(office.browser("agency_editor"))
    assert sender.begin(entry, 1001).status_code == 413
    path = sender.begun(entry, 1000)
    assert sender.part(path, 0, b"x" * 1001).status_code == 413
    assert sender.offset(path) <= 1000
    assert sender.begin(entry, 0).status_code == 422
    assert sender.begin(entry, 5, sha256="abc").status_code == 422
    monkeypatch.setattr(uploads, "MAX_OPEN", 2)
    sender.begun(entry, 5)
    assert sender.begin(entry, 5).status_code == 429


def test_no_room_on_the_disk_is_said_at_once(
    office: Office, sender: Sender, entry: CatalogueEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    answer = sender.begin(entry)
    assert answer.status_code == 507
    assert office.read(lambda s: list(s.scalars(select(PartialUpload)))) == []


def test_a_disk_that_fills_up_loses_nothing_that_counted(
    sender: Sender, entry: CatalogueEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sender.begun(entry)
    sender.part(path, 0, DATA[:100])
    real = os.pwrite

    def full(*_arguments: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    assert sender.part(path, 100, DATA[100:]).status_code == 507
    monkeypatch.setattr(os, "pwrite", real)
    assert sender.offset(path) == 100
    assert sender.part(path, 100, DATA[100:]).status_code == 204


def test_two_senders_of_one_upload_take_turns(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry)
    second = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if not second:
                second.append(sender.part(path, 0, b"yy").status_code)
            return super().read(size)

    receiver = upload_receiving.Receiver(
        office.platform.database, office.platform.storage, office.platform.clock, hours=1
    )
    with office.platform.database.reading() as session:
        account = session.scalar(select(PartialUpload.account_id))
    actor = office.made(lambda catalogue, people: _actor(catalogue, account))
    reached = receiver.receive(actor, path.rsplit("/", 1)[1], 0, Slow(DATA[:10]))
    assert second == [423]
    assert reached == 10
    assert sender.offset(path) == 10


def _actor(catalogue: Any, account_id: int) -> Any:
    return actor_of(catalogue._session.get(Account, account_id))


def test_who_was_taken_over_writes_no_more(
    office: Office, sender: Sender, entry: CatalogueEntry, clock: Any
) -> None:
    """The first sender hangs; the second goes on after the lease; the first one's bytes are lost."""
    path = sender.begun(entry)
    public_id = path.rsplit("/", 1)[1]
    account = office.read(lambda s: s.scalar(select(PartialUpload.account_id)))
    actor = office.made(lambda catalogue, people: _actor(catalogue, account))
    receiver = upload_receiving.Receiver(
        office.platform.database, office.platform.storage, office.platform.clock, hours=1
    )

    class Hanging(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == 0:
                clock.advance(seconds=uploads.LEASE_SECONDS + 1)
                assert sender.part(path, 0, DATA[:300]).status_code == 204
            return super().read(size)

    with pytest.raises(uploads.UploadLocked):
        receiver.receive(actor, public_id, 0, Hanging(b"z" * 200))
    assert sender.offset(path) == 300
    sender.part(path, 300, DATA[300:])
    Worker(office.platform).run_until_idle()
    assert files(office)[0].current_version.sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_stream_that_breaks_keeps_what_came(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry)
    account = office.read(lambda s: s.scalar(select(PartialUpload.account_id)))
    actor = office.made(lambda catalogue, people: _actor(catalogue, account))
    receiver = upload_receiving.Receiver(
        office.platform.database, office.platform.storage, office.platform.clock, hours=1
    )

    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(7) or self._break()

        def _break(self) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        receiver.receive(actor, path.rsplit("/", 1)[1], 0, Breaking(DATA[:20]))
    assert sender.offset(path) == 20


def test_cancelling_removes_everything(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry)
    sender.part(path, 0, DATA[:100])
    assert sender.call("DELETE", path).status_code == 204
    assert list(office.platform.storage.parts.list()) == []
    assert sender.call("HEAD", path).status_code == 404
    again = sender.begun(entry)
    page = f"/work/entries/{entry.slug}/files"
    assert "站点.csv" in text_of(sender.browser.get(page))
    sender.browser.submit(page, f"{again}/cancel")
    assert sender.call("HEAD", again).status_code == 404


class CancelledOnTheWay(io.BytesIO):
    """Bytes of a part; before the last of them comes, the sender cancels the upload."""

    def __init__(self, data: bytes, cancel: Callable[[], object]) -> None:
        super().__init__(data)
        self._cancel = cancel

    def read(self, size: int | None = -1) -> bytes:
        got = super().read(size)
        if self.tell() == len(self.getvalue()) and self._cancel is not None:
            cancel, self._cancel = self._cancel, None
            cancel()
        return got


def test_a_piece_that_is_on_its_way_when_all_is_cancelled_is_kept_nowhere(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry)
    with office.platform.database.reading() as session:
        upload = session.scalars(select(PartialUpload)).one()
        owner = actor_of(session.get_one(Account, upload.account_id))
    receiver = upload_receiving.Receiver(
        office.platform.database, office.platform.storage, office.platform.clock, hours=1
    )
    cancelled = CancelledOnTheWay(DATA, lambda: sender.call("DELETE", path))
    with pytest.raises(uploads.UploadLocked):
        receiver.receive(owner, upload.public_id, 0, cancelled)
    assert list(office.platform.storage.parts.list()) == []


def test_only_the_entrys_people_and_only_who_began(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry)
    stranger = Sender.of(office.browser("agency_editor", "JL-HEA"))
    colleague = Sender.of(office.browser("agency_editor", number=2))
    assert stranger.begin(entry).status_code == 403
    for other in (stranger, colleague):
        assert other.call("HEAD", path).status_code == 403
        assert other.part(path, 0, b"x").status_code == 403
        assert other.call("DELETE", path).status_code == 403
        assert other.browser.client.get(f"{path}/state").status_code == 403
    anonymous = office.app.test_client()
    assert anonymous.post("/work/uploads", headers=TUS).status_code in (400, 401)
    missing = encoded(entry="nothing", filename="a.csv")
    answer = sender.call("POST", "/work/uploads", Upload_Length="5", Upload_Metadata=missing)
    assert answer.status_code == 404
    assert sender.begin(entry, replaces="nothing").status_code == 422


def test_a_part_without_the_token_is_refused(sender: Sender, entry: CatalogueEntry) -> None:
    path = sender.begun(entry)
    for method in ("PATCH", "DELETE"):
        answer = sender.browser.client.open(path, method=method, data=b"x", headers=TUS)
        assert answer.status_code == 400
    assert sender.offset(path) == 0


def test_the_protocol_is_held_to(sender: Sender, entry: CatalogueEntry) -> None:
    path = sender.begun(entry)
    answer = sender.call("HEAD", path, Tus_Resumable="0.2")
    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert sender.part(path, 0, b"x", Content_Type="text/plain").status_code == 415
    assert (
        sender.call("PATCH", path, b"x", Content_Type="application/offset+octet-stream").status_code
        == 422
    )
    bad = sender.call("POST", "/work/uploads", Upload_Length="5", Upload_Metadata="entry ???")
    assert bad.status_code == 422


def test_what_expired_goes_and_what_lives_stays(
    office: Office,
    sender: Sender,
    entry: CatalogueEntry,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform = office.platform
    old = sender.begun(entry)
    sender.part(old, 0, DATA[:10])
    clock.advance(hours=30)
    sender = Sender.of(office.browser("agency_editor"))
    young = sender.begun(entry)
    sender.part(young, 0, DATA[:10])
    platform.storage.parts.write("0" * 36, 0, b"orphan", "")
    clock.advance(hours=20)
    monkeypatch.setattr("portal.services.upload_finishing.ORPHAN_SECONDS", -1)
    assert ORPHAN_SECONDS == 3600
    assert sweep_uploads(platform.database, platform.storage, platform.clock) == 2
    assert [name for name, _ in platform.storage.parts.list()] == [young.rsplit("/", 1)[1]]
    left = office.read(lambda s: list(s.scalars(select(PartialUpload.public_id))))
    assert left == [young.rsplit("/", 1)[1]]


def test_a_second_run_of_the_last_job_ends_the_same(
    office: Office, sender: Sender, entry: CatalogueEntry
) -> None:
    path = sender.begun(entry)
    sender.part(path, 0, DATA)
    upload_id = office.read(lambda s: s.scalar(select(PartialUpload.id)))
    parts = office.platform
    for _ in range(2):
        finish_upload(parts.database, parts.storage, parts.clock, upload_id)
    assert len(files(office)) == 1
