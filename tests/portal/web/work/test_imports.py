"""The open list as a spreadsheet: template, preview that writes nothing, import, all or none."""

from __future__ import annotations

import html
import io
import re

from openpyxl import load_workbook
from sqlalchemy import func, select

from portal.jobs.worker import Worker
from portal.models import AuditEvent, CatalogueEntry
from tests.portal.web.work.conftest import Browser, Office, forms_of, text_of

HEADER = "信息资源代码,数据集名称,提供单位,更新周期,开放类型,采集方式,数据摘要,文件地址\n"
GOOD = (
    HEADER
    + ",公交站点,吉林省交通运输厅,每月,无条件开放,履职产生,说明,\n,公交线路,,每年,无条件开放,,,\n"
)
BAD = (
    HEADER
    + ",公交站点,,每月,无条件开放,履职产生,,\n,,,每月,,,,\n,他人数据,,每月,无条件开放,共享获取,,\n"
)


def count(office: Office) -> int:
    return int(office.read(lambda s: s.scalar(select(func.count(CatalogueEntry.id)))))


def file(text: str, name: str = "清单.csv") -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), name


def test_the_template_can_be_opened(editor: Browser) -> None:
    response = editor.get("/work/import/template.xlsx")
    assert "attachment" in response.headers["Content-Disposition"]
    assert load_workbook(io.BytesIO(response.data)).sheetnames


def test_preview_writes_nothing_and_confirming_twice_imports_once(
    editor: Browser, office: Office
) -> None:
    response = editor.submit("/work/import", "/import", 200, file=file(GOOD))
    assert "新建 2 条" in text_of(response)
    assert count(office) == 0
    form = next(f for f in forms_of(response) if f.action.endswith("/confirm"))
    editor.send(form)
    editor.send(form)
    assert count(office) == 2
    imported = select(func.count(AuditEvent.id)).where(AuditEvent.flow == "open_list_upload")
    assert office.read(lambda s: s.scalar(imported)) == 1


def test_every_faulty_row_is_named_and_none_is_written(editor: Browser, office: Office) -> None:
    text = text_of(editor.submit("/work/import", "/import", 422, file=file(BAD)))
    assert "第 3 行" in text
    assert "第 4 行" in text
    assert "第29条" in text
    assert count(office) == 0


def test_faults_are_counted_one_by_one_and_rows_beside_them(editor: Browser) -> None:
    two = HEADER + ",公交站点,,每个世纪,随便开放,履职产生,,\n,,,每月,无条件开放,履职产生,,\n"
    text = text_of(editor.submit("/work/import", "/import", 422, file=file(two)))
    assert "共 3 处问题，涉及 2 行" in text
    one = text_of(editor.submit("/work/import", "/import", 422, file=file("a,b\n1,2\n")))
    assert "共 1 处问题，全部列在下面" in one


def test_what_is_no_list_is_refused(editor: Browser, office: Office) -> None:
    for given in (file(""), file("\x00\x01" * 50), file("not xlsx", "x.xlsx")):
        editor.submit("/work/import", "/import", 422, file=given)
    assert "请选择要导入的清单" in text_of(editor.submit("/work/import", "/import", 422))
    assert count(office) == 0


def test_only_the_own_preview_can_be_confirmed(
    editor: Browser, reviewer: Browser, office: Office
) -> None:
    response = editor.submit("/work/import", "/import", 200, file=file(GOOD))
    form = next(f for f in forms_of(response) if f.action.endswith("/confirm"))
    token = reviewer.token()
    data = {**{k: v[0] for k, v in form.values().items()}, "csrf_token": token}
    assert reviewer.client.post(form.action, data=data).status_code == 422
    editor.send(form, 422, token="forged")
    assert count(office) == 0


def test_the_bureau_has_no_list_of_its_own_to_import(bureau: Browser, office: Office) -> None:
    assert not [f for f in forms_of(bureau.get("/work/import", 403)) if "/import" in f.action]
    data = {"csrf_token": bureau.token(), "file": file(GOOD)}
    assert bureau.client.post("/work/import", data=data).status_code == 403
    assert count(office) == 0


NO_HEADER = (
    "公交站点位置,吉林省交通运输厅,每月,无条件开放\n公交线路走向,吉林省交通运输厅,每年,无条件开放\n"
)


def test_a_list_without_a_header_is_mapped_once_and_remembered(
    editor: Browser, office: Office
) -> None:
    refused = editor.submit("/work/import", "/import", 422, file=file(NO_HEADER))
    page = re.search(r'href="(/work/import/columns[^"]+)"', refused.text)
    assert page is not None
    address = html.unescape(page[1])
    form = next(f for f in forms_of(editor.get(address)) if f.action.endswith("/confirm"))
    guessed = ["title", "provider_name", "update_frequency", "open_type"]
    assert form.values()["field"] == guessed
    assert "至少要有一列" in text_of(editor.send(form, 422, field=["", *guessed[1:]]))
    preview = editor.send(form, 200)
    assert "新建 2 条" in text_of(preview)
    assert count(office) == 0
    again = NO_HEADER.replace("公交", "地铁")
    assert "新建 2 条" in text_of(editor.submit("/work/import", "/import", 200, file=file(again)))
    stranger = office.browser("agency_editor", "JL-HEA")
    stranger.submit("/work/import", "/import", 422, file=file(NO_HEADER))
    stranger.get(address, 422)  # the note is another person's


def test_columns_under_other_names_are_mapped_once_and_remembered(
    editor: Browser, office: Office
) -> None:
    own = "What,Who,How often\n公交站点,吉林省交通运输厅,每月\n"
    refused = editor.submit("/work/import", "/import", 422, file=file(own))
    page = re.search(r'href="(/work/import/columns[^"]+)"', refused.text)
    assert page is not None
    form = next(
        f for f in forms_of(editor.get(html.unescape(page[1]))) if f.action.endswith("/confirm")
    )
    preview = editor.send(form, 200, field=["title", "", "update_frequency"])
    confirm = next(f for f in forms_of(preview) if f.action == "/work/import/confirm")
    editor.send(confirm)
    assert count(office) == 1
    rows = "".join(f"公交站点{n}{'长' * 90},某单位,每月\n" for n in range(260))
    long = own.partition("\n")[0] + "\n" + rows
    page_of_check = editor.submit("/work/import", "/import", 303, file=file(long)).location
    Worker(office.platform).run_until_idle()
    assert "新建 260 条" in text_of(editor.get(page_of_check))


def test_a_long_list_is_looked_through_in_the_background(editor: Browser, office: Office) -> None:
    rows = "".join(f",公交站点{n},,每月,无条件开放,履职产生,{'说明' * 60},\n" for n in range(300))
    response = editor.submit("/work/import", "/import", 303, file=file(HEADER + rows))
    page = response.location
    assert "正在检查清单" in text_of(editor.get(page))
    assert editor.get(f"{page}/state").json == {"stage": "waiting", "done": 0, "total": 0}
    office.browser("responsible_dept").get(page, 404)  # only who sent it
    Worker(office.platform).run_until_idle()
    state = editor.get(f"{page}/state").json
    assert state == {"stage": "done", "done": 300, "total": 300}
    assert count(office) == 0
    done = editor.get(page)
    assert "新建 300 条" in text_of(done)
    form = next(f for f in forms_of(done) if f.action.endswith("/confirm"))
    editor.send(form)
    assert count(office) == 300


def test_the_whole_list_goes_out_and_its_difference_is_shown(
    editor: Browser, office: Office
) -> None:
    office.made(lambda catalogue, people: (catalogue.draft(), catalogue.draft()))
    answer = editor.get("/work/import/list.xlsx?provider=JL-TRA")
    book = load_workbook(io.BytesIO(answer.data))
    sheet = book["开放清单"]
    place = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, place["联系单位"], "换了的处室")
    data = io.BytesIO()
    book.save(data)
    upload = (io.BytesIO(data.getvalue()), "清单.xlsx")
    text = text_of(editor.submit("/work/import", "/import", 200, file=upload))
    assert "修改 1 条，未变 1 条" in text
    assert "换了的处室" in text
    stranger = office.browser("agency_editor", "JL-HEA")
    assert stranger.get("/work/import/list.xlsx?provider=JL-TRA", 422)
