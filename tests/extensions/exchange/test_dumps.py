"""The whole catalogue as files: complete, public only, checked by their sums, read by other libraries."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import subprocess
from pathlib import Path

import openpyxl
import pytest
import rdflib
from click.testing import CliRunner
from flask.testing import FlaskClient

from extensions.exchange.dumps import making
from extensions.exchange.dumps.making import make_dump
from portal.cli import cli
from tests.factories import SetClock
from tests.portal.web.conftest import Site


def filled(site: Site) -> list[str]:
    slugs = [site.opened(), site.conditional(), site.opened(title="公式=1+1与逗号,的数据集名称")]
    hidden = site.opened()
    site.retire(hidden, "停用")
    site.change(lambda _session, catalogue, _people: catalogue.draft())
    return slugs


def unzipped(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def test_each_form_holds_what_the_public_sees(
    site: Site, visitor: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "AT_ONCE", 2)
    slugs = filled(site)
    manifest = make_dump(site.platform, folder=tmp_path)
    assert manifest["records"] == 3
    packages = [json.loads(line) for line in unzipped(tmp_path / "catalogue.jsonl.gz").splitlines()]
    assert [one["name"] for one in packages] == slugs
    shown = visitor.get(f"/api/3/action/package_show?id={slugs[0]}").get_json()["result"]
    assert packages[0] == shown
    graph = rdflib.Graph().parse(data=unzipped(tmp_path / "catalogue.nt.gz"), format="nt")
    assert len(list(graph.subjects(rdflib.RDF.type, rdflib.DCAT.Dataset))) == 3
    rows = list(csv.DictReader((tmp_path / "open-list.csv").open(encoding="utf-8-sig")))
    assert [row["开放类型"] for row in rows] == ["无条件开放", "有条件开放", "无条件开放"]
    sheet = openpyxl.load_workbook(tmp_path / "open-list.xlsx", read_only=True).active
    assert sheet is not None
    cells = list(sheet.iter_rows(values_only=True))
    assert [[value or "" for value in row] for row in cells[1:]] == [
        list(row.values()) for row in rows
    ]
    done = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.count(": OK")) == (0, 4)


def test_an_unchanged_catalogue_gives_unchanged_files(site: Site, clock: SetClock) -> None:
    filled(site)
    first = make_dump(site.platform)
    clock.advance(hours=1)
    second = make_dump(site.platform)
    sums = [[(f["name"], f["sha256"]) for f in one["files"]] for one in (first, second)]
    assert sums[0][:3] == sums[1][:3]  # the workbook is a ZIP archive, which knows the time


def test_the_page_and_the_addresses(site: Site, visitor: FlaskClient) -> None:
    assert "还没有导出" in visitor.get("/dumps").text
    assert visitor.get("/dumps/latest/manifest.json").status_code == 404
    filled(site)
    make_dump(site.platform)
    page = visitor.get("/dumps")
    assert (page.status_code, "catalogue.jsonl.gz" in page.text) == (200, True)
    manifest = visitor.get("/dumps/latest/manifest.json").get_json()
    for file in manifest["files"]:
        path = file["url"].removeprefix(manifest["catalogue"])
        found = visitor.get(path)
        assert hashlib.sha256(found.data).hexdigest() == file["sha256"]
        assert found.headers["Access-Control-Allow-Origin"] == "*"
        part = visitor.get(path, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.data) == (206, found.data[10:20])
    latest = visitor.get("/dumps/latest/open-list.csv")
    assert (latest.status_code, latest.headers["Location"].endswith("Z/open-list.csv")) == (
        302,
        True,
    )
    for address in ("/dumps/latest/nope", "/dumps/20200101T000000Z/open-list.csv", "/dumps/x/y"):
        assert visitor.get(address).status_code == 404


def test_only_the_newest_are_kept(
    site: Site, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "KEPT", 2)
    seen = []
    for _ in range(4):
        site.opened()
        clock.advance(days=1)
        seen.append(make_dump(site.platform)["files"][0]["sha256"])
    kept = {one.sha256 for one in site.platform.storage.list()}
    assert [sha256 in kept for sha256 in seen] == [False, False, True, True]


def test_the_job_is_nightly_and_the_command_says_what_it_wrote(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(site)
    kinds = {kind.name: kind.cron for kind in site.platform.jobs.recurring()}
    assert kinds["catalogue_dump"] == "30 4 * * *"
    monkeypatch.setenv("XIANGYUN_HOME", str(site.platform.settings.home))
    monkeypatch.setenv("XIANGYUN_SECRET_KEY", site.platform.settings.secret_key)
    done = CliRunner().invoke(cli, ["dump", "--to", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "记录 records 3" in done.stdout
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["records"] == 3
