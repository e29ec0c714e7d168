"""What may have been meant: pinyin, initials, typing errors, characters that sound alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.kept_vocabulary import KeptVocabulary
from search.mending import mend
from search.spelling import read_pinyin
from search.vocabulary import Vocabulary, blurred_sound, spellings
from tests.search.documents import entry

WORDS = {
    "公交 gong jiao": 40,
    "供缴 gong jiao": 1,
    "站点 zhan dian": 30,
    "线路 xian lu": 20,
    "长春 chang chun": 60,
    "绿园 lv yuan": 3,
    "旅游 lv you": 9,
    "空气 kong qi": 8,
    "质量 zhi liang": 8,
    "停车场 ting che chang": 6,
    "医院 yi yuan": 12,
    "hospital": 4,
    "women": 50,
    "air": 5,
}
VOCABULARY = Vocabulary.of(WORDS.items())
TITLE = ("长春市公交站点GPS", "chang chun shi gong jiao zhan dian gps")
TITLES = {"i:gjzd": [TITLE], "p:gongjiaozh": [TITLE]}


def pinyin(typed: str) -> str | None:
    reading = read_pinyin(typed, VOCABULARY)
    return reading.used if reading else None


def mended(typed: str) -> str | None:
    reading = mend(typed, VOCABULARY, lambda beginning: TITLES.get(beginning, []))
    return reading.used if reading else None


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        ("gongjiao", "公交"),
        ("gongjiaozhandian", "公交站点"),
        ("gong jiao zhan dian", "公交站点"),
        ("gongjiao zhandian", "公交站点"),
        ("GongJiao", "公交"),
        ("gong'jiao", "公交"),
        ("gōngjiāo", "公交"),
        ("ｇｏｎｇｊｉａｏ", "公交"),
        ("gongjiao站点", "公交站点"),
        ("changchun公交", "长春公交"),
        ("changchun 公交 xianlu", "长春 公交 线路"),
        ("lüyou", "旅游"),
        ("lvyou", "旅游"),
        ("luyou", "旅游"),
        ("lǚyóu", "旅游"),
        ("公交", None),
        ("women", None),  # English, and in more entries than any pinyin
        ("hospital", None),
        ("gongjiaox", None),
        ("", None),
    ],
)
def test_pinyin_is_read_as_chinese(typed, used):
    assert pinyin(typed) == used


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        ("gjzd", "公交站点"),  # initials of a part of a title
        ("kq", "空气"),
        ("hopsital", "hospital"),
        ("hosptal", "hospital"),
        ("gongjaio", "公交"),  # pinyin with a typing error
        ("工交", "公交"),  # same sound
        ("工交线路", "公交线路"),
        ("空汽质量", "空气质量"),
        ("停车厂", "停车场"),
        ("停车坊", "停车场"),  # one character different
        ("公缴战点", "公交站点"),
        ("医辽", None),
        ("常春市公交", "长春市公交"),
        ("公交战电", "公交站点"),
        ("gongjiaozh", "公交站"),  # pinyin that is not finished
        ("公交", None),
        ("公交站点", None),
        ("旅馆站点", None),  # a word of the language; nothing says it was mistyped
        ("㐀㐁", None),
        ("㐀㐁㐂工交㐃㐄", None),  # who knows what that is
        ("xyz", None),
        ("公", None),
    ],
)
def test_what_finds_nothing_is_mended(typed, used):
    assert mended(typed) == used


def test_only_words_that_were_not_typed_are_named():
    reading = mend("站点 工交", VOCABULARY, lambda _: [])
    assert (reading.used, reading.words) == ("站点 公交", ("公交",))


@pytest.mark.parametrize("mark", ["\x00", "\ud800", "\u202e", "\ue000", "\n"])
def test_a_reading_shows_no_mark_that_nobody_sees(mark):
    assert pinyin(f"gongjiao{mark} 站点") == "公交 站点"
    assert mended(f"工交{mark} 站点") == "公交 站点"


def test_spellings_of_an_entry():
    found = spellings(
        entry(1, "长春公交GPS站点 bus_stop", keywords=("公交到站",), item_names=("经度",))
    )
    assert {"长春 chang chun", "公交 gong jiao", "gps", "bus", "stop", "经度 jing du"} <= set(found)
    assert "公交到站 gong jiao dao zhan" in found
    assert (
        len(spellings(entry(1, "名" * 10, item_names=tuple(f"item{n}字段" for n in range(500)))))
        < 100
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zhan dian", "zan dian"),
        ("xin xi", "xing xi"),
        ("cheng shi", "cen si"),
        ("lv you", "lu you"),
    ],
)
def test_sounds_that_are_mixed_up(one, other):
    assert blurred_sound(one) == blurred_sound(other)
    assert blurred_sound("gong jiao") != blurred_sound("kong jiao")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_may_be_read(typed):
    for reading in (read_pinyin(typed, VOCABULARY), mend(typed, VOCABULARY, lambda _: [])):
        if reading is not None:
            assert reading.words
            assert all(word in reading.used for word in reading.words)
            assert reading.used != typed


def test_a_quick_vocabulary_follows_the_index_at_once():
    kept = KeptVocabulary()
    made = [Vocabulary.of(()), Vocabulary.of([("公交 gong jiao", 1)])]
    assert kept.get(1, lambda: made[0]) is made[0]
    assert kept.get(1, lambda: made[1]) is made[0]
    assert kept.get(2, lambda: made[1]).count("公交") == 1


def test_a_costly_vocabulary_serves_on_until_another_is_made():
    kept = KeptVocabulary()
    made = [Vocabulary.of(()), Vocabulary.of(())]
    kept.get(1, lambda: made[0])
    kept._cost_seconds = 1.0
    assert kept.get(2, lambda: made[1]) is made[0]
