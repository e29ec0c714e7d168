"""The English catalogue: whole for every page, right in its places, and compiled."""

from __future__ import annotations

import re

from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from portal.platform import Platform
from tests.portal.web.shown_words import ROOT, error_messages, labels, wrapped_words

FOLDER = ROOT / "portal/translations/en/LC_MESSAGES"
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}|&#?\w+;")


def catalogue() -> dict[str, str]:
    with (FOLDER / "messages.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id}


def test_every_word_of_every_page_is_translated() -> None:
    words = wrapped_words()
    assert len(words) > 1200
    assert sorted(words - catalogue().keys()) == []


def test_every_label_is_translated(make_platform: object) -> None:
    platform = make_platform("sqlite")  # type: ignore[operator]
    assert isinstance(platform, Platform)
    assert sorted(labels(platform) - catalogue().keys()) == []


def test_every_error_is_translated() -> None:
    sentences = error_messages()
    assert len(sentences) > 300
    assert sorted(sentences - catalogue().keys()) == []


def test_places_are_kept() -> None:
    wrong = {
        text: english
        for text, english in catalogue().items()
        if not english or set(PLACE.findall(text)) != set(PLACE.findall(english))
    }
    assert wrong == {}


def test_a_percent_sign_is_doubled_where_places_are_filled_in() -> None:
    filled = {text: english for text, english in catalogue().items() if "%(" in text}
    assert [e for e in filled.values() if "%" in re.sub(r"%%|%\(\w+\)s", "", e)] == []


def test_the_compiled_catalogue_is_current() -> None:
    with (FOLDER / "messages.mo").open("rb") as file:
        compiled = {str(m.id): str(m.string) for m in read_mo(file) if m.id}
    assert compiled == catalogue()
