"""The files of words: shipped, edited, overlaid."""

from __future__ import annotations

import csv
import os
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from search.dictionaries import Fault, Names, check_folder, read_file
from search.lexicon import build_lexicon, install, lexicon, package_rows
from search.words import analyse, everyday

THEMES = Path(__file__).parents[2] / "portal" / "data" / "codes" / "themes.csv"


def faults(name: str, *lines: str) -> list[tuple[int, str]]:
    found = read_file(name, lines)
    return [(row.line, row.problem) for row in found if isinstance(row, Fault)]


@pytest.fixture
def overlay(tmp_path):
    yield tmp_path
    install(None)


def edit(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    install(None)
    install(folder, (Names("word", ("甲乙丙",)),))


def test_each_theme_has_a_dozen_everyday_expressions():
    text = files("search").joinpath("data/everyday.csv").read_text(encoding="utf-8")
    counted: Counter[str] = Counter()
    for row in csv.DictReader(text.splitlines()):
        counted[row["theme"]] += len(row["expressions"].split("、"))
    with THEMES.open(encoding="utf-8") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    assert set(counted) == set(codes)
    assert min(counted.values()) >= 12


@pytest.mark.parametrize(
    ("name", "lines", "line", "says"),
    [
        ("synonyms.csv", ["terms,kind,note", "低保、保障,same,", "公交,same,"], 3, "两个"),
        ("synonyms.csv", ["terms,kind,note", "公交、,same,"], 2, "两个"),
        ("synonyms.csv", ["terms,kind,note", "公交、地铁,alike,"], 2, "alike"),
        ("synonyms.csv", ["words,kind"], 1, "terms,kind,note"),
        ("everyday.csv", ["theme,expressions,official", "health,看病,医院,诊所"], 2, "列"),
        ("everyday.csv", ["theme,expressions,official", ",看病,医院"], 2, "theme"),
        ("everyday.csv", ["theme,expressions,official", "health,,医院"], 2, "expressions"),
        ("everyday.csv", ["theme,expressions,official", f"health,{'病' * 41},医院"], 2, "40"),
        ("names.csv", ["kind,names,also", "city,长春,"], 2, "city"),
        ("names.csv", ["kind,names,also", "place,,春城"], 2, "names"),
        ("stopwords.txt", ["# 注", "的", "一 二"], 3, "一个词"),
    ],
)
def test_a_faulty_line_is_named(name, lines, line, says):
    ((at, problem),) = faults(name, *lines)
    assert at == line
    assert says in problem


def test_a_file_that_is_no_utf8_is_named(tmp_path):
    (tmp_path / "names.csv").write_bytes("kind,names,also\nplace,长春,\n".encode("gb18030"))
    ((fault),) = check_folder(tmp_path)
    assert (fault.file, fault.line) == ("names.csv", 1)
    assert "UTF-8" in fault.problem


def test_faulty_lines_are_passed_over(overlay):
    edit(overlay, "synonyms.csv", "terms,kind,note\n独一,same,\n冰雪节、雪博会,same,\n")
    assert lexicon().synonyms["雪博会"] == ("冰雪节",)
    assert [fault.line for fault in lexicon().faults] == [2]


def test_an_overlay_adds_and_takes_away(overlay):
    edit(overlay, "synonyms.csv", "terms,kind,note\n公交、公车,never,\n公交、公汽,same,\n")
    assert "公汽" in lexicon().synonyms["公交"]
    assert "公车" not in lexicon().synonyms["公交"]
    edit(overlay, "everyday.csv", "theme,expressions,official\nother,遛鸟,花鸟鱼市\nother,停车,\n")
    assert everyday("去哪遛鸟").meanings == (("花鸟鱼市",),)
    assert everyday("停车") is None
    edit(overlay, "stopwords.txt", "-哪里\n劳驾\n")
    assert [word.text for word in analyse("劳驾 哪里 公交").required] == ["哪里", "公交"]
    assert [word.text for word in analyse("甲乙丙公交").required] == ["甲乙丙", "公交"]


def test_an_edit_is_noticed_without_a_restart(overlay, monkeypatch):
    monkeypatch.setattr("search.lexicon._LOOK_AGAIN_SECONDS", 0.0)
    edit(overlay, "names.csv", "kind,names,also\nplace,净月潭,净潭\n")
    assert lexicon().names["净潭"] == "place"
    (overlay / "names.csv").write_text("kind,names,also\nplace,南湖,\n", encoding="utf-8")
    os.utime(overlay / "names.csv", ns=(1, 1))
    assert "净潭" not in lexicon().names
    assert [word.text for word in analyse("南湖公交").required] == ["南湖", "公交"]


def test_a_lexicon_of_nothing_knows_nothing():
    empty = build_lexicon(())
    assert empty.meanings("看病") == ()
    assert not empty.is_term("公交")
    assert len(package_rows()) > 300
