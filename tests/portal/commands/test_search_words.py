"""`xiangyun search words check`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cli import cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XIANGYUN_HOME", str(tmp_path))
    (tmp_path / "dictionaries").mkdir()
    return tmp_path / "dictionaries"


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["search", "words", "check", *arguments])


def test_sound_files_need_no_rebuild(folder):
    (folder / "synonyms.csv").write_text("terms,kind,note\n雪博会、冰雪节,same,\n", "utf-8")
    result = check()
    assert result.exit_code == 0
    assert "1行" in result.output
    assert "不需要重建索引" in result.output


def test_each_faulty_line_is_named(folder):
    (folder / "synonyms.csv").write_text("terms,kind,note\n雪博会,same,\n", "utf-8")
    (folder / "everyday.csv").write_text(
        "theme,expressions,official\nhealth,看牙,口腔\nteeth,拔牙,口腔\n", "utf-8"
    )
    result = check(str(folder))
    assert result.exit_code == 1
    assert "synonyms.csv 第2行" in result.output
    assert "everyday.csv 第3行：没有主题代码“teeth”" in result.output


def test_without_files_the_package_s_words_serve(folder):
    result = check()
    assert result.exit_code == 0
    assert "软件自带" in result.output
