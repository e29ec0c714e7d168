"""The proper names that search takes as one word: places, departments and themes of the code lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from portal.codes import code_list
from portal.settings import Settings
from search.dictionaries import EVERYDAY, Everyday, Fault, Names, check_folder, read_folder
from search.lexicon import install

_ENDING = re.compile(r"(?:省|市|县|区|州)$")
# 前郭尔罗斯蒙古族自治县 is called 前郭, 延边朝鲜族自治州 延边州.
_AUTONOMOUS = re.compile(
    r"^(?P<short>..)(?:尔罗斯)?(?:朝鲜族|满族|蒙古族|回族)+自治(?P<ending>[县州])$"
)
_NO_NAMES = "public_utility_kind"  # 供水, 燃气: words like others


def install_search_names(settings: Settings) -> None:
    """Tell search of this process the code lists' names and the folder with the portal's own words."""
    install(settings.dictionaries_folder, names_of_codes())


@cache
def names_of_codes() -> tuple[Names, ...]:
    """Return the places, departments and themes, each with its short name."""
    departments = (d for d in code_list("departments") if d["kind"] != _NO_NAMES)
    return (
        *(_place(region.name) for region in code_list("regions")),
        *(Names("organisation", _each(d["short_name"], d.name)) for d in departments),
        *(Names("theme", (theme.name,)) for theme in code_list("themes")),
    )


def _place(name: str) -> Names:
    autonomous = _AUTONOMOUS.match(name)
    if autonomous:
        short, ending = autonomous["short"], autonomous["ending"]
        return Names("place", (name, short), (short + ending,))
    short = _ENDING.sub("", name)
    return Names("place", _each(name, short if len(short) > 1 else ""))


def _each(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def check_words(folder: Path) -> list[Fault]:
    """Return the faulty lines of the portal's own files of words, unknown themes among them."""
    return sorted([*check_folder(folder), *_unknown_themes(folder)], key=lambda f: (f.file, f.line))


def _unknown_themes(folder: Path) -> Iterator[Fault]:
    themes = code_list("themes")
    for row in read_folder(folder):
        if isinstance(row, Everyday) and row.theme not in themes:
            yield Fault(
                EVERYDAY, row.line, f"没有主题代码“{row.theme}”，可用：{'、'.join(themes.names())}"
            )
