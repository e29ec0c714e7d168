"""Reports are kept and go out; issues open and close by checks; pages work."""

from __future__ import annotations

import io
from datetime import timedelta

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from extensions.quality.models import QualityIssue, QualityReport
from extensions.quality.models.scan import find_scan
from extensions.quality.services import timers
from extensions.quality.services.issues import IssueService
from portal.app import create_app
from portal.clock import local_date
from portal.jobs.worker import Worker
from portal.models import Freshness
from portal.models.distribution import DataVersion, list_distributions
from portal.models.entry import get_entry
from portal.platform import Platform
from portal.services.distributions import DistributionService, Upload
from portal.services.entries import EntryService
from portal.services.freshness import FreshnessService
from portal.services.package_document import package_bytes
from tests.extensions.quality.conftest import ROWS, Deliver
from tests.factories import PASSWORD, Catalogue, People, SetClock

SMALL = "站点编码,站点名称,日客流量\n1,甲,3\n2,乙,4\n"
SOUND = "站点编码,站点名称,日客流量\n" + "".join(f"0{n},站点{n}号,{n}\n" for n in range(10, 30))


def _check(platform: Platform) -> None:
    timers.check_pending(platform, {})
    Worker(platform).run_until_idle()


def _signed_in(platform: Platform, role: str, organisation: str = "JL-TRA") -> FlaskClient:
    app = create_app(platform)
    app.config["WTF_CSRF_ENABLED"] = False
    with platform.database.writing() as session:
        username = People(platform, session).account(role, organisation).username
    client = app.test_client()
    client.post("/login", data={"username": username, "password": PASSWORD})
    return client


def _form(page: str) -> dict[str, str]:
    """Return the hidden fields of the page's last decision form."""
    return {
        name: page.rsplit(f'name="{name}" value="', 1)[1].split('"')[0] for name in ("seen", "key")
    }


def test_what_changed_is_checked_and_stands_in_the_package(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver(SMALL)
    _check(platform)
    with platform.database.reading() as session:
        entry = given.entry(session)
        report = session.get(QualityReport, entry.id)
        assert report is not None
        assert "few_rows" in {fault["check"] for fault in report.findings}
        assert report.score == 100 - sum(fault["points"] for fault in report.findings)
        package = orjson.loads(package_bytes(session, entry))
        extra = next(e for e in package["extras"] if e["key"] == "jl_quality")
        assert orjson.loads(extra["value"])["score"] == report.score
        assert report.index_version == entry.index_version
    page = create_app(platform).test_client().get(f"/dataset/{given.slug}").get_data(as_text=True)
    assert "行数过少" in page


def test_the_nightly_round_opens_one_issue_and_the_recheck_closes_it(
    platform: Platform, deliver: Deliver, clock: SetClock
) -> None:
    given = deliver(SMALL)
    for _ in range(2):
        timers.check_all(platform, {})
    with platform.database.writing() as session:
        issue = session.scalars(select(QualityIssue)).one()
        assert (issue.check_code, issue.state) == ("few_rows", "open")
        people = People(platform, session)
        service = IssueService(session, clock)
        due_on = local_date(clock()) + timedelta(days=20)
        service.order(people.bureau, issue, text="请提供明细", due_on=due_on)
        service.report_fixed(people.editor, issue, answer="将提供", planned_on=due_on)
    timers.run_timers(platform, {})
    with platform.database.writing() as session:
        assert session.scalars(select(QualityIssue)).one().state == "fixed"
        Catalogue(platform, session, People(platform, session)).file(
            given.entry(session), SOUND.encode(), "明细.csv"
        )
    Worker(platform).run_until_idle()
    timers.run_timers(platform, {})
    with platform.database.reading() as session:
        assert session.scalars(select(QualityIssue)).one().state == "closed"


def test_an_order_that_is_late_is_escalated(
    platform: Platform, deliver: Deliver, clock: SetClock
) -> None:
    given = deliver(SOUND)
    with platform.database.writing() as session:
        people = People(platform, session)
        issue = IssueService(session, clock).open(
            people.bureau, given.entry(session), "manual", "站名有错"
        )
        IssueService(session, clock).order(
            people.bureau, issue, text="请更正", due_on=local_date(clock())
        )
    clock.advance(days=1)
    timers.run_timers(platform, {})
    with platform.database.reading() as session:
        assert session.scalars(select(QualityIssue)).one().state == "escalated"


def test_an_update_overdue_for_ten_working_days_becomes_an_issue_once(
    platform: Platform, deliver: Deliver, clock: SetClock
) -> None:
    deliver(SOUND)
    for days in (40, 40):
        clock.advance(days=days)
        with platform.database.writing() as session:
            for freshness in session.scalars(select(Freshness)):
                FreshnessService(session, clock).tick(freshness)
    timers.run_timers(platform, {})
    with platform.database.reading() as session:
        assert session.scalars(select(QualityIssue)).all() == []
    clock.advance(days=20)
    for _ in range(2):
        timers.run_timers(platform, {})
    with platform.database.reading() as session:
        assert [i.check_code for i in session.scalars(select(QualityIssue))] == ["overdue"]


def test_equal_data_and_fragments_are_named_on_both_sides(
    platform: Platform, deliver: Deliver
) -> None:
    from tests.factories import content

    for place in ("长春市", "吉林市", "四平市"):
        deliver(SOUND, content(title=f"{place}公共汽车站点信息"))
    _check(platform)
    with platform.database.reading() as session:
        for report in session.scalars(select(QualityReport)):
            found = {fault["check"]: fault["evidence"] for fault in report.findings}
            assert len(found["duplicate_data"]["titles"]) == 2
            assert found["fragmented"]["count"] == 3


def test_tables_from_before_the_scan_are_looked_at_and_held(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver()
    with platform.database.writing() as session:
        session.delete(given.scan(session))
        data = given.distribution(session).current_version
        assert data is not None
        data.hold = ""
    timers.scan_backlog(platform)
    with platform.database.reading() as session:
        data = session.scalars(select(DataVersion)).one()
        assert data.hold == "review"


def test_earlier_versions_from_before_the_scan_are_looked_at_too(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver()
    stored = platform.storage.put(io.BytesIO(SMALL.encode()), max_bytes=10_000)
    with platform.database.writing() as session:
        editor = People(platform, session).editor
        distribution = given.distribution(session)
        service = DistributionService(session, platform.clock)
        service.deliver(editor, distribution, Upload(stored, "站点.csv"))
    Worker(platform).run_until_idle()
    with platform.database.writing() as session:
        first = session.scalars(select(DataVersion).where(DataVersion.number == 1)).one()
        scan = find_scan(session, first.id)
        assert scan is not None
        session.delete(scan)
        first.hold = ""
    timers.scan_backlog(platform)
    with platform.database.reading() as session:
        holds = {v.number: v.hold for v in session.scalars(select(DataVersion))}
    assert holds == {1: "review", 2: ""}


def test_a_file_that_cannot_be_read_waits_for_a_person(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver("\n\n")
    with platform.database.reading() as session:
        scan = given.scan(session)
        assert scan.unreadable
        assert scan.data_version.hold == "review"
    given.decide({"*": "release"})
    client = create_app(platform).test_client()
    address = f"/dataset/{given.slug}/resource/{given.public_id}/download/x.csv"
    assert client.get(address).status_code == 200


def test_the_bureau_reads_the_overview_and_an_agency_its_own(
    platform: Platform, deliver: Deliver
) -> None:
    given = deliver(SMALL)
    _check(platform)
    bureau = _signed_in(platform, "bureau_reviewer", "JL-BUR")
    overview = bureau.get("/work/quality?check=few_rows&below=90").get_data(as_text=True)
    with platform.database.reading() as session:
        version = given.entry(session).published_version
        assert version is not None
        title = version.title
    assert title in overview
    assert title not in bureau.get("/work/quality?check=overdue").get_data(as_text=True)
    lines = bureau.get("/work/quality.csv").get_data(as_text=True).splitlines()
    assert any("行数过少" in line and title in line for line in lines)
    assert title in _signed_in(platform, "agency_editor").get("/work/quality").get_data(
        as_text=True
    )
    stranger = _signed_in(platform, "agency_editor", "JL-HEA")
    assert title not in stranger.get("/work/quality").get_data(as_text=True)
    assert stranger.get(f"/work/quality/entries/{given.slug}").status_code == 403


def test_a_column_is_decided_by_form(platform: Platform, deliver: Deliver) -> None:
    given = deliver(ROWS)
    officer = _signed_in(platform, "agency_security_officer")
    with platform.database.reading() as session:
        scan_id, sha256 = given.scan(session).id, given.scan(session).sha256
    address = f"/work/sensitive/{scan_id}"
    assert "待审查" in officer.get("/work/sensitive").get_data(as_text=True)
    assert address in officer.get("/work").get_data(as_text=True)
    page = officer.get(address).get_data(as_text=True)
    assert "220*************43" in page
    assert "220102199003070013" not in page
    form = {**_form(page), "sha256": sha256, "t.shou_ji": "mask", "t.shen_fen_zheng_hao": "release"}
    refused = officer.post(f"{address}/decide", data=form)
    assert refused.status_code in (400, 422)
    assert "请写明理由和依据" in refused.get_data(as_text=True)
    form |= {"t.shen_fen_zheng_hao": "drop"}
    assert officer.post(f"{address}/decide", data=form).status_code == 303
    assert officer.post(f"{address}/decide", data=form).status_code == 303  # a double click
    Worker(platform).run_until_idle()
    with platform.database.reading() as session:
        assert given.scan(session).applied == {"shou_ji": "mask", "shen_fen_zheng_hao": "drop"}
        assert given.scan(session).data_version.hold == ""
    stranger = _signed_in(platform, "agency_security_officer", "JL-HEA")
    assert stranger.get(address).status_code == 403


def test_an_issue_goes_its_way_by_forms(platform: Platform, deliver: Deliver) -> None:
    given = deliver(SOUND)
    bureau = _signed_in(platform, "bureau_reviewer", "JL-BUR")
    agency = _signed_in(platform, "agency_editor")
    entry_page = f"/work/quality/entries/{given.slug}"
    form = {"key": "a-form-key", "check_code": "manual", "evidence": "站名有错", "duty": "collect"}
    opened = bureau.post(f"{entry_page}/issues", data=form)
    assert opened.status_code == 303
    address = opened.headers["Location"]
    assert bureau.post(f"{entry_page}/issues", data=form).headers["Location"] == address
    refused = bureau.post(
        f"{address}/order", data=_form(bureau.get(address).get_data(as_text=True))
    )
    assert "请写明整改要求" in refused.get_data(as_text=True)
    for client, event, fields in (
        (bureau, "order", {"order": "请更正站名", "due_on": "2026-12-10"}),
        (agency, "report", {"answer": "已更正", "planned_on": "2026-12-01"}),
        (bureau, "reject", {"reason": "还有错"}),
        (agency, "report", {"answer": "已全部更正", "planned_on": "2026-12-02"}),
        (bureau, "verify", {"reason": "已核对"}),
    ):
        hidden = _form(client.get(address).get_data(as_text=True))
        answer = client.post(f"{address}/{event}", data={**hidden, **fields})
        assert answer.status_code == 303, (event, answer.get_data(as_text=True)[:3000])
    assert "已办结" in bureau.get("/work/quality/issues?state=closed").get_data(as_text=True)
    assert bureau.post(f"{entry_page}/recheck", data={"key": "b-form-key"}).status_code == 303


def test_a_retired_entry_has_no_report_on_the_list(platform: Platform, deliver: Deliver) -> None:
    given = deliver(SMALL)
    _check(platform)
    with platform.database.writing() as session:
        entry = get_entry(session, given.slug)
        people = People(platform, session)
        EntryService(session, platform.clock).retire(
            people.bureau, entry, reason="停用", consequences_shown=True
        )
        assert list_distributions(session, entry.id)
    bureau = _signed_in(platform, "bureau_reviewer", "JL-BUR")
    assert "0 个数据集" in bureau.get("/work/quality").get_data(as_text=True)


@pytest.mark.postgresql
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_checks_and_decisions_on_postgresql(platform: Platform, deliver: Deliver) -> None:
    given = deliver()
    given.decide({"shen_fen_zheng_hao": "drop", "shou_ji": "generalise"})
    timers.check_all(platform, {})
    _check(platform)
    bureau = _signed_in(platform, "bureau_reviewer", "JL-BUR")
    for address in (
        "/work/quality?check=unexplained_columns",
        "/work/quality/issues",
        "/work/sensitive?all=1",
    ):
        assert bureau.get(address).status_code == 200
    with platform.database.reading() as session:
        assert given.scan(session).applied["shou_ji"] == "generalise"
