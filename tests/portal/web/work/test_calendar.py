"""Loading a holiday notice: first what would move, then the load."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.cli import cli
from portal.models import CalendarDay
from tests.factories import SetClock
from tests.portal.services.test_calendar_notices import NOTICE_2027
from tests.portal.web.work.conftest import Browser, Office, forms_of, text_of

PAGE = "/work/duties/calendar"


@pytest.fixture(autouse=True)
def _december(clock: SetClock) -> None:
    clock.now = datetime(2026, 12, 24, 2, 0, tzinfo=UTC)


def test_the_administrator_checks_then_loads(
    office: Office, admin: Browser, bureau: Browser
) -> None:
    office.made(lambda catalogue, _people: catalogue.submitted())
    assert "2027年节假日安排" in text_of(admin.get("/work"))
    assert "2027年的节假日安排还没有载入" in text_of(admin.get("/work/duties"))
    shown = admin.submit(
        PAGE, "/calendar/check", 200, year="2027", source="国办发明电9号", scope="year", days=NOTICE_2027
    )  # fmt: skip
    assert "2027年1月8日 2027年1月9日" in text_of(shown)
    assert office.read(lambda s: s.get(CalendarDay, date(2027, 1, 9))) is None
    form = next(f for f in forms_of(shown) if f.action.endswith("/load"))
    admin.send(form)
    assert office.read(lambda s: s.get(CalendarDay, date(2027, 1, 9))) is not None
    assert "国办发明电9号" in text_of(admin.get(PAGE))
    assert "期限随之调整" in text_of(bureau.get("/notices"))
    assert admin.client.get("/health").json["calendar"] == "ok"
    admin.send(form, 409)  # the plan that was shown is gone


def test_wrong_rows_are_named_and_what_was_typed_stays(admin: Browser) -> None:
    answer = admin.submit(
        PAGE, "/calendar/check", 422, year="2027", source="通知", scope="days", days="2027-02-30,,放假,春节"
    )  # fmt: skip
    assert "第1行" in text_of(answer)
    assert "2027-02-30,,放假,春节" in answer.text


def test_others_read_the_calendar_and_load_nothing(editor: Browser, admin: Browser) -> None:
    assert "/calendar/check" not in editor.get(PAGE).text
    form = admin.form(PAGE, "/calendar/check")
    form.fields = [f for f in form.fields if f[0] != "csrf_token"]
    editor.send(form, 403, csrf_token=editor.token(), year="2027", source="通知", days=NOTICE_2027)
    editor.get("/work/duties", 403)


def test_the_command_says_what_would_move(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "2027.csv"
    file.write_text(NOTICE_2027, encoding="utf-8")
    monkeypatch.setenv("XIANGYUN_HOME", str(office.platform.settings.home))
    call = ["calendar", "load", str(file), "--year", "2027", "--source", "通知"]
    dry = CliRunner().invoke(cli, [*call, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "0 deadlines would move" in dry.output
    assert office.read(lambda s: s.get(CalendarDay, date(2027, 1, 9))) is None
    assert CliRunner().invoke(cli, call).exit_code == 0
    assert office.read(lambda s: s.get(CalendarDay, date(2027, 1, 9))) is not None
