"""The English catalogue: whole for the public pages, right in its places, and compiled."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from portal.services.entry_changes import PUBLIC_EVENTS
from portal.web import errors, organisations

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "portal/translations/en/LC_MESSAGES"
PUBLIC = [
    ("portal/web/*.py", "python"),
    ("themes/jilin/templates/*.html", "jinja2"),
    ("themes/jilin/templates/macros/*.html", "jinja2"),
    ("themes/jilin/templates/parts/*.html", "jinja2"),
]
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")


def catalogue() -> dict[str, str]:
    with (FOLDER / "messages.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id}


def test_every_word_of_the_public_pages_is_translated() -> None:
    found = extract_from_dir(str(ROOT / "."), PUBLIC, directory_filter=_is_ours)
    words = {str(message) for _file, _line, message, _comments, _context in found}
    for texts in (organisations.KINDS, organisations.STATES, organisations.CHANGES, PUBLIC_EVENTS):
        words.update(texts.values())  # type: ignore[attr-defined]
    words.update(errors.HTTP_MESSAGES.values())
    assert len(words) > 200
    assert sorted(words - catalogue().keys()) == []


def _is_ours(folder: str) -> bool:
    relative = Path(folder).relative_to(ROOT).parts
    return not relative or relative[0] in ("portal", "themes")


def test_places_are_kept() -> None:
    wrong = {
        text: english
        for text, english in catalogue().items()
        if not english or set(PLACE.findall(text)) != set(PLACE.findall(english))
    }
    assert wrong == {}


def test_the_compiled_catalogue_is_current() -> None:
    with (FOLDER / "messages.mo").open("rb") as file:
        compiled = {str(m.id): str(m.string) for m in read_mo(file) if m.id}
    assert compiled == catalogue()
