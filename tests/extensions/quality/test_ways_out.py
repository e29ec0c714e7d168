"""Attacks on every way out with a canary: nothing of a held or treated column leaves."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy.orm import Session

from extensions.quality.services.sensitive import Decision, SensitiveReview
from portal.actor import ANONYMOUS, Actor
from portal.app import create_app
from portal.errors import Conflict, Forbidden, GuardRefused, Invalid
from portal.jobs.worker import Worker
from portal.models import AuditEvent
from portal.models.entry import get_entry
from portal.platform import Platform
from portal.rules.entry_content import InformationItem
from portal.services.content import content_of
from portal.services.distributions import DistributionService, Upload
from portal.services.entries import EntryService
from portal.services.search import search_catalogue
from portal.tables.export import ExportForm
from search.request import SearchRequest
from tests.extensions.quality.conftest import CANARY_PHONE, ID_NUMBER, ROWS, Deliver, Delivered
from tests.factories import Catalogue, People, content

FORMS = tuple(form.value.replace("_", "-") for form in ExportForm)
CANARIES = (ID_NUMBER, CANARY_PHONE, "13844446666", "220102198512120029")


def _client(platform: Platform) -> FlaskClient:
    return create_app(platform).test_client()


def _text(raw: bytes) -> str:
    """Return what a reader could see in an answer, workbooks unpacked."""
    if raw[:4] == b"PAR1":
        return str(pq.read_table(io.BytesIO(raw)).to_pylist())
    if raw[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            raw = b"".join(book.read(name) for name in book.namelist())
    return raw.decode("utf-8", "replace")


def _everything(client: FlaskClient, given: Delivered) -> dict[str, str]:
    """Return address -> answer of every public way out, asked for the canary in each way."""
    page, file = f"/dataset/{given.slug}", given.public_id
    resource = f"{page}/resource/{file}"
    api = f"/api/3/action/datastore_search?resource_id={file}"
    addresses = [
        page,
        f"{page}?tq={CANARY_PHONE}",
        f"{page}?by=-shou_ji",
        f"{page}?f.shou_ji==138",
        f"{resource}/download/x.csv",
        f"{resource}/version/1/x.csv",
        f"{resource}/versions",
        f"{resource}/version/1",
        f"{resource}/difference",
        f"{resource}/difference?from=1&to=2",
        f"{resource}/difference.csv?from=1&to=2",
        f"{resource}/groups.csv?group=shou_ji",
        f"{resource}/places.json",
        f"{page}?view=profile",
        f"{page}?view=chart&group=shou_ji",
        f"{page}?view=chart&group=shen_fen_zheng_hao",
        f"{page}/download.zip",
        f"{page}.ttl",
        f"{page}.jsonld",
        api,
        f"{api}&q={CANARY_PHONE}",
        f'{api}&filters={{"shou_ji":"{CANARY_PHONE}"}}',
        f"{api}&sort=shou_ji",
        f"/api/3/action/datastore_info?id={file}",
        f"/api/3/action/package_show?id={given.slug}",
        f"/search?q={ID_NUMBER}",
        *(f"{resource}/export?format={form}" for form in FORMS),
    ]
    return {address: _text(client.get(address).data) for address in addresses}


def _leaks(answers: dict[str, str]) -> list[tuple[str, str]]:
    """What was asked stands in a page's own form: it is no leak, and is taken out first."""
    return [
        (address, canary)
        for address, text in answers.items()
        for canary in CANARIES
        if canary in text and canary not in address
    ]


def _found_by_search(platform: Platform, words: str) -> int:
    with platform.database.reading() as session:
        return search_catalogue(
            session, platform.engine, SearchRequest(words=words), ANONYMOUS
        ).total


def test_nothing_leaves_while_a_finding_waits(platform: Platform, deliver: Deliver) -> None:
    given = deliver()
    answers = _everything(_client(platform), given)
    assert _leaks(answers) == []
    assert not any("人民广场" in text for text in answers.values())
    assert _found_by_search(platform, CANARY_PHONE) == 0


def test_masked_and_dropped_columns_leave_in_no_form(platform: Platform, deliver: Deliver) -> None:
    given = deliver()
    given.decide({"shen_fen_zheng_hao": "drop", "shou_ji": "mask"})
    answers = _everything(_client(platform), given)
    assert _leaks(answers) == []
    resource = f"/dataset/{given.slug}/resource/{given.public_id}"
    assert "138****5555" in answers[f"{resource}/export?format=csv"]
    assert "身份证号" not in answers[f"{resource}/export?format=csv"]
    assert all(
        "人民广场" in answers[f"{resource}/export?format={f}"] for f in ("json", "xml", "xlsx")
    )
    assert _client(platform).get(f"{resource}/download/x.csv").status_code == 403
    found = _client(platform).get(
        f'/api/3/action/datastore_search?resource_id={given.public_id}&filters={{"shou_ji":"{CANARY_PHONE}"}}'
    )
    assert found.json is not None
    assert found.json["result"]["total"] == 0
    assert _found_by_search(platform, CANARY_PHONE) == 0


@pytest.mark.parametrize("treatment", ["drop", "mask", "generalise"])
def test_each_treatment_keeps_the_canary_in(
    platform: Platform, deliver: Deliver, treatment: str
) -> None:
    given = deliver()
    given.decide({"shen_fen_zheng_hao": treatment, "shou_ji": treatment})
    address = f"/dataset/{given.slug}/resource/{given.public_id}/export?format=ndjson"
    text = _client(platform).get(address).get_data(as_text=True)
    assert "人民广场" in text
    assert not any(canary in text for canary in CANARIES)


def test_a_mask_reaches_into_texts(platform: Platform, deliver: Deliver) -> None:
    note = f"联系{CANARY_PHONE}或{ID_NUMBER}，ａ"
    rows = (
        "站点编码,站点名称,说明\n"
        + "".join(f"{n},站{n},无\n" for n in range(9))
        + f"10,桂林路,{note}\n"
    )
    given = deliver(rows)
    given.decide({"shuo_ming": "mask"})
    address = f"/dataset/{given.slug}/resource/{given.public_id}/export?format=csv"
    text = _client(platform).get(address).get_data(as_text=True)
    assert "联系138****5555或220*************13" in text


def test_an_older_version_with_a_finding_stays_in_when_a_clean_one_follows(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver()
    with platform.database.writing() as session:
        clean = "站点编码,站点名称,日客流量\n1,人民广场,3\n2,桂林路,4\n3,红旗街,5\n4,重庆路,6\n"
        stored = platform.storage.put(io.BytesIO(clean.encode()))
        DistributionService(session, platform.clock).deliver(
            People(platform, session).editor,
            given.distribution(session),
            Upload(stored, "站点.csv"),
        )
    Worker(platform).run_until_idle()
    client, resource = _client(platform), f"/dataset/{given.slug}/resource/{given.public_id}"
    assert client.get(f"{resource}/download/x.csv").status_code == 200
    assert client.get(f"{resource}/version/1/x.csv").status_code == 403


def test_a_delivery_that_was_not_looked_at_yet_stays_in(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver("站点编码,站点名称\n1,甲\n2,乙\n3,丙\n4,丁\n")
    client, resource = _client(platform), f"/dataset/{given.slug}/resource/{given.public_id}"
    assert client.get(f"{resource}/download/x.csv").status_code == 200
    with platform.database.writing() as session:
        stored = platform.storage.put(io.BytesIO(ROWS.encode()))
        DistributionService(session, platform.clock).deliver(
            People(platform, session).editor,
            given.distribution(session),
            Upload(stored, "站点.csv"),
        )
    assert client.get(f"{resource}/download/x.csv").status_code == 403


def test_a_released_column_leaves_with_its_reason_kept(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver()
    given.decide({"shen_fen_zheng_hao": "release", "shou_ji": "release"}, reason="本人书面同意公开")
    address = f"/dataset/{given.slug}/resource/{given.public_id}/download/x.csv"
    assert ID_NUMBER in _client(platform).get(address).get_data(as_text=True)
    with platform.database.reading() as session:
        scan = given.scan(session)
        assert scan.decisions["shou_ji"]["reason"] == "本人书面同意公开"
        event = session.query(AuditEvent).filter_by(flow="sensitive_review", event="decide").one()
        assert event.details["sha256"] == scan.sha256
        assert event.details["data_version"] == 1
        assert event.details["decisions"] == scan.decisions


def test_an_item_that_is_masked_settles_it_until_a_version_opens_it(
    platform: Platform, deliver: Deliver
) -> None:
    phone = InformationItem(4, "手机", "shou_ji", "string", 20, masking="mask_phone")
    number = InformationItem(5, "身份证号", "shen_fen_zheng_hao", "string", 18, open=False)
    base = content()
    given = deliver(given=replace(base, items=(*base.items, phone, number)))
    resource = f"/dataset/{given.slug}/resource/{given.public_id}"
    client = _client(platform)
    assert "人民广场" in client.get(f"{resource}/export?format=csv").get_data(as_text=True)
    assert _leaks(_everything(client, given)) == []
    with platform.database.writing() as session:
        people = People(platform, session)
        entries = EntryService(session, platform.clock)
        draft = entries.revise(people.department, get_entry(session, given.slug))
        opened = replace(content_of(draft), items=(*base.items, replace(phone, masking=""), number))
        entries.save(people.department, draft, opened)
        entries.approve(people.bureau, entries.submit(people.department, draft))
    Worker(platform).run_until_idle()
    assert client.get(f"{resource}/export?format=csv").status_code == 404
    assert _leaks(_everything(client, given)) == []


Deciding = Callable[[Session, Delivered, People], None]


def _decided(session: Session, given: Delivered, actor: Actor, **changes: object) -> None:
    decisions = {
        "shen_fen_zheng_hao": Decision("drop"),
        "shou_ji": Decision("mask"),
        **changes.pop("more", {}),  # type: ignore[dict-item]
    }
    scan = given.scan(session)
    pinned = {"sha256": scan.sha256, **changes}
    SensitiveReview(session, given.platform.clock).decide(actor, scan, decisions, **pinned)  # type: ignore[arg-type]


def test_only_a_second_person_decides_and_on_what_was_shown(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver()
    with platform.database.writing_session() as session:
        people = People(platform, session)
        scan = given.scan(session)
        with pytest.raises(Forbidden):
            _decided(session, given, people.stranger)
        with pytest.raises(Forbidden):
            _decided(session, given, people.editor)
        scan.data_version.created_by = people.security_officer.account_id
        session.flush()
        with pytest.raises(GuardRefused):
            _decided(session, given, people.security_officer)
        with pytest.raises(Conflict):
            _decided(session, given, people.bureau, sha256="0" * 64)
        with pytest.raises(Conflict):
            _decided(session, given, people.bureau, seen=99)
        with pytest.raises(Invalid):
            _decided(session, given, people.bureau, more={"shou_ji": Decision("release")})
        scan.decisions = {}
        with pytest.raises(Invalid):
            SensitiveReview(session, platform.clock).decide(
                people.bureau, scan, {"shou_ji": Decision("mask")}, sha256=scan.sha256
            )
        session.rollback()


def test_a_finding_blocks_publication_and_opening(platform: Platform) -> None:
    with platform.database.writing() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        submitted, planned = catalogue.submitted(), catalogue.planned()
        for entry in (submitted.entry, planned.entry):
            catalogue.file(entry, ROWS.encode())
        ids = submitted.id, planned.id
    Worker(platform).run_until_idle()
    with platform.database.writing_session() as session:
        people = People(platform, session)
        catalogue = Catalogue(platform, session, people)
        with pytest.raises(GuardRefused) as refusal:
            catalogue.entries.approve(people.bureau, session.get(type(submitted), ids[0]))
        assert refusal.value.defects[0].code == "held"
        with pytest.raises(GuardRefused) as refusal:
            catalogue.open_list.publish(people.agency_reviewer, session.get(type(planned), ids[1]))
        assert refusal.value.defects[0].code == "held"
        session.rollback()


def test_small_groups_are_reported(platform: Platform, deliver: Deliver) -> None:
    from extensions.quality.services.groups import ask_for_groups

    rows = "区县,性别,手机\n" + "".join(f"朝阳区,男,1384444{n:04d}\n" for n in range(7))
    given = deliver(rows + "宽城区,女,13855556666\n宽城区,女,13855557777\n")
    with platform.database.writing() as session:
        ask_for_groups(session, platform.clock, given.scan(session), ["qu_xian", "xing_bie"])
    Worker(platform).run_until_idle()
    with platform.database.reading() as session:
        report = given.scan(session).groups
    assert (report["groups"], report["small_groups"], report["small_rows"]) == (2, 1, 2)
    assert report["examples"] == [{"values": ["宽城区", "女"], "count": 2}]


def test_what_stands_outside_the_table_is_looked_at_too(
    platform: Platform, deliver: Deliver
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("站点编码", "站点名称"), ("1", "甲"), ("2", "乙"), ("3", "丙"), ("4", "丁")):
        sheet.append(row)
    hidden = book.create_sheet("底稿")
    hidden.append(("联系人", CANARY_PHONE, f"证号{ID_NUMBER}"))
    hidden.sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    given = deliver(stream.getvalue(), name="站点.xlsx")
    client, resource = _client(platform), f"/dataset/{given.slug}/resource/{given.public_id}"
    assert client.get(f"{resource}/download/x.xlsx").status_code == 403
    given.decide({"#rest": "drop"})
    assert client.get(f"{resource}/download/x.xlsx").status_code == 403
    assert "甲" in client.get(f"{resource}/export?format=csv").get_data(as_text=True)
    assert _leaks(_everything(client, given)) == []


def test_a_skipped_row_is_looked_at(platform: Platform, deliver: Deliver) -> None:
    rows = "站点编码,站点名称\n" + "".join(f"{n},站{n}\n" for n in range(9))
    given = deliver(rows + f"10,桂林路,多,{CANARY_PHONE}\n")
    with platform.database.reading() as session:
        assert [f["field_name"] for f in given.scan(session).findings] == ["#rest"]
    assert _leaks(_everything(_client(platform), given)) == []
