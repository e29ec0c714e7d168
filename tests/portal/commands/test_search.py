"""`xiangyun search evaluate|export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cli import cli
from portal.commands.database import prepare_database
from portal.platform import open_platform
from portal.services.loading import PackageLoader
from portal.settings import read_settings
from search.judgement_files import read_collection

OFFICE = {"name": "transport", "title": "交通局"}
PACKAGES = [
    {"name": "bus", "title": "公交线路站点", "tags": [{"name": "公交"}], "organization": OFFICE},
    {"name": "parks", "title": "停车场名录", "organization": OFFICE},
]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIANGYUN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XIANGYUN_SEARCH_URL", raising=False)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Three queries over two packages; the last finds nothing."""
    path = tmp_path / "own.csv"
    path.write_text(
        "query,code,grade\n公交,bus,3\n停车场,parks,3\n停车场,bus,0\n天文台,parks,2\n", "utf-8"
    )
    (tmp_path / "own.queries.csv").write_text(
        "query,kind,split\n公交,known,tuning\n停车场,known,held_out\n天文台,topical,tuning\n",
        "utf-8",
    )
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, PACKAGES)), "utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["search", *map(str, arguments)])


def test_the_figures_are_printed_by_kind_and_the_worst_queries_named(judged):
    result = run("evaluate", judged)
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line.split()[1:] for line in result.output.splitlines() if line}
    assert rows["known"][:5] == ["2", "1.000", "1.000", "1.000", "0.000"]
    assert rows["all"][:2] == ["3", "0.667"]
    assert "天文台 (topical): nothing" in result.output


def test_a_split_is_measured_alone(judged):
    result = run("evaluate", judged, "--split", "held_out")
    assert "1 queries (held_out)" in result.output
    assert "天文台" not in result.output
    assert run("evaluate", judged.parent / "own.csv", "--split", "tuning").exit_code == 0


def test_a_weight_is_compared_with_none(judged):
    result = run("evaluate", judged, "--beta", "0", "--beta", "0.25")
    assert "against β = 0" in result.output
    assert "refused" in result.output, "no entry has a value that could come forward"


def test_judgements_without_a_collection_are_refused(judged):
    (judged.parent / "own.jsonl").rename(judged.parent / "other.jsonl")
    result = run("evaluate", judged)
    assert result.exit_code == 1
    assert "--collection" in result.output
    named = run("evaluate", judged, "--collection", judged.parent / "other.jsonl")
    assert named.exit_code == 0, named.output


def test_a_faulty_collection_names_its_line(judged):
    (judged.parent / "own.jsonl").write_text('{"title": "公交"}\n[1]\n', "utf-8")
    result = run("evaluate", judged)
    assert result.exit_code == 1
    assert "line 2" in result.output


def test_elasticsearch_must_be_named_in_the_settings(judged):
    result = run("evaluate", judged, "--engine", "elasticsearch")
    assert result.exit_code == 1
    assert "SEARCH_URL" in result.output


def test_what_the_portal_indexes_can_be_exported(tmp_path):
    platform = open_platform(read_settings())
    prepare_database(platform)
    loader = PackageLoader(platform.database, platform.clock, source="f", reason="测试")
    *_, report = loader.load(json.dumps(package).encode() for package in PACKAGES)
    assert not report.errors
    platform.close()
    path = tmp_path / "export.jsonl"
    assert run("export", path).output == "2 documents\n"
    assert [document.title for document in read_collection(path)] == ["公交线路站点", "停车场名录"]
