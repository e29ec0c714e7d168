"""The code lists' names as search takes them, and a portal's own words."""

from __future__ import annotations

from portal.services.search_names import names_of_codes
from search.lexicon import lexicon
from search.words import analyse


def test_places_departments_and_themes_have_their_short_names():
    found = {name: row for row in names_of_codes() for name in (*row.names, *row.also)}
    assert found["长春"].kind == "place"
    assert found["前郭县"].names == ("前郭尔罗斯蒙古族自治县", "前郭")
    assert found["延边州"].names == ("延边朝鲜族自治州", "延边")
    assert found["伊通县"].names == ("伊通满族自治县", "伊通")
    assert found["省交通运输厅"].kind == "organisation"
    assert found["社保就业"].kind == "theme"
    assert "供水" not in found


def test_a_platform_brings_its_names_and_its_words(make_platform, tmp_path):
    folder = tmp_path / "home" / "dictionaries"
    folder.mkdir(parents=True)
    (folder / "names.csv").write_text("kind,names,also\norganisation,冰雪经济办,冰雪办\n", "utf-8")
    make_platform()
    assert lexicon().names["前郭县"] == "place"
    assert [word.text for word in analyse("冰雪办前郭县").required] == ["冰雪办", "前郭县"]
    make_platform(name="other")
    assert "冰雪办" not in lexicon().names
