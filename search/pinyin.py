"""Pinyin of titles: found by `gongjiao` and `gjzd`, sorted as a dictionary sorts.

Only writers need it (pypinyin takes 50 MB), so the library is loaded at the first use.
"""

from __future__ import annotations

from functools import lru_cache

from search.analysis import cut, cut_with_parts, normalise, runs

FIRST = "b:"  # before the first character of a beginning

_TONES = str.maketrans("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹ", "aaaaeeeeiiiioooouuuuvvvvvnnn")
_LONGEST_START = 40  # characters of a beginning; nobody types more before choosing
_MOST_STARTS = 120


@lru_cache(maxsize=50_000)
def syllables(run: str) -> tuple[str, ...]:
    """Return one pinyin syllable (no tones) a character; characters without one stay."""
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(run, errors=list))  # type: ignore[arg-type]


def without_tones(text: str) -> str:
    """Return lower-case pinyin as it is typed: no marks for tones, v for ü."""
    return text.translate(_TONES)


def plain_sound(sound: str) -> str:
    """Return pinyin as it is compared: no spaces, ü (v) as u after l and n."""
    return sound.replace(" ", "").replace("lv", "lu").replace("nv", "nu")


def _sounds(run: str) -> list[str]:
    """Return the sounds of a run's characters, word by word: words come again, titles hardly.

    The words of the segmenter also read better: 行业 is hang ye also after 全国性.
    """
    return [sound for word in cut(run) for sound in syllables(word)]


@lru_cache(maxsize=64)  # one document asks several times
def _units(title: str) -> tuple[list[str], list[str], set[int]]:
    """Return the title's pieces, their sounds, and at which pieces a word starts.

    A Chinese piece is one character, any other a whole word.
    """
    pieces: list[str] = []
    sounds: list[str] = []
    starts: set[int] = set()
    for run, is_cjk in runs(normalise(title)):
        offsets = {start for _, start in cut_with_parts(run)} if is_cjk else {0}
        starts |= {len(pieces) + offset for offset in offsets}
        pieces.extend(run if is_cjk else [run])
        sounds.extend(_sounds(run) if is_cjk else [run])
    return pieces, sounds, starts


def title_starts(title: str) -> list[str]:
    """Return what a reader may begin to type for a title, from each of its words on.

    `t:` is the text itself, `p:` its pinyin, `i:` the initials of its pinyin; `b:` is the first
    character of any of these.
    """
    pieces, sounds, starts = _units(title)
    found: dict[str, None] = {}
    for start in sorted(starts):
        rest = slice(start, start + _LONGEST_START)
        found["t:" + "".join(pieces[rest])[:_LONGEST_START]] = None
        if sounds[start] != pieces[start]:
            found["p:" + plain_sound("".join(sounds[rest]))[:_LONGEST_START]] = None
            found["i:" + "".join(sound[0] for sound in sounds[rest])] = None
    kept = list(found)[:_MOST_STARTS]
    return kept + list(dict.fromkeys(FIRST + start[2] for start in kept))


def title_sounds(title: str) -> str:
    """Return the pinyin of a title: a syllable for each Chinese character, other words whole."""
    return " ".join(_units(title)[1])


def title_order(title: str) -> str:
    """Return the key by which titles sort: pinyin first, then the characters."""
    pieces, sounds, _ = _units(title[:80])
    return " ".join(sounds) + "\x01" + "".join(pieces)
