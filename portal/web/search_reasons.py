"""The words that were found in an entry, in words for its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext

from search.explanations import (
    CODE,
    CORRECTION,
    EVERYDAY,
    LITERAL,
    PART,
    PINYIN,
    SYNONYM,
    Match,
)


@dataclass(frozen=True)
class Reason:
    """`form` stands in the places; `means` says how it answers to the `word` that was typed."""

    word: str
    form: str
    places: str
    means: str


def reasons_of(matches: Sequence[Match]) -> list[Reason]:
    places = {
        "title": gettext("名称"),
        "keywords": gettext("关键词"),
        "item_names": gettext("信息项"),
        "provider_names": gettext("提供单位"),
        "abstract": gettext("摘要"),
        "sample_values": gettext("表中的列名和示例值"),
        "codes": gettext("资源代码"),
    }
    means = {
        LITERAL: gettext("原词"),
        PART: gettext("原词的一部分"),
        SYNONYM: gettext("同义词"),
        EVERYDAY: gettext("日常说法对应的正式名称"),
        PINYIN: gettext("拼音"),
        CODE: gettext("代码"),
        CORRECTION: gettext("更正后的写法"),
    }
    return [
        Reason(
            match.word,
            match.form,
            gettext("、").join(places.get(name, name) for name in match.fields),
            means[match.means],
        )
        for match in matches
    ]
