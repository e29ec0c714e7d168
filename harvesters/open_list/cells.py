"""What the text of one cell means in its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from harvesters.codes import CodeBook, plain_word
from harvesters.open_list.faults import CellFault
from harvesters.open_list.workbook_child import LOSSY

Read = Callable[[str, CodeBook], Any]

EMPTY = frozenset({"", "/", "-", "--", "—", "——", "无", "暂无", "空", "n/a", "null"})
_DATE = re.compile(r"(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*[-/.月]?\s*(\d{1,2})\s*日?(?:[ T].*)?")
_SEPARATOR = re.compile(r"[、，,；;|\n\r\t]+(?![^（(]*[)）])")
_BASIS = re.compile(
    r"(?:(?P<kind>法律|法规|规章|其他|同意|被采集人同意)[:：])?\s*"
    r"《(?P<title>[^》]+)》\s*(?:[（(](?P<number>[^）)]*)[）)])?\s*(?P<article>.*)"
)
_BASIS_KINDS = {"法律": "law", "法规": "regulation", "规章": "rule", "其他": "other"}
_YES = frozenset({"是", "y", "yes", "true", "1", "√", "可", "可以", "允许", "开放"})
_NO = frozenset({"否", "n", "no", "false", "0", "×", "不可", "不可以", "不允许", "不开放"})


def read_cell(read: Read, text: str, book: CodeBook) -> Any:
    """Return the value; None for an empty cell or a placeholder such as "无".

    Raises:
        CellFault: the text is not what the column takes; the message says what it takes.
    """
    if not text:
        return None
    if text.endswith(LOSSY):
        shown = text.removesuffix(LOSSY)
        raise CellFault(f"“{shown}”位数过多，被电子表格改动过，请把单元格设为文本后重新填写")
    return read(text, book)


def unless_empty(read: Read) -> Read:
    return lambda text, book: None if is_empty(text) else read(text, book)


def as_text(text: str, _: CodeBook) -> str:
    return text


def as_words(text: str, _: CodeBook) -> tuple[str, ...]:
    return tuple(dict.fromkeys(split(text)))


def split(text: str) -> list[str]:
    """Return the parts between 、，；and the like, but not those inside brackets."""
    return [part.strip() for part in _SEPARATOR.split(text) if part.strip()]


def as_code(codes: str) -> Read:
    return lambda text, book: _code(codes, text, book)


def as_codes(codes: str) -> Read:
    def read(text: str, book: CodeBook) -> tuple[str, ...]:
        whole = book.find(codes, text)  # "法律、法规规定不得开放" is one name
        if whole:
            return (whole,)
        parts = [p for part in _whole_names(codes, text, book) for p in part.split("/")]
        return tuple(dict.fromkeys(_code(codes, part.strip(), book) for part in parts))

    return read


def _whole_names(codes: str, text: str, book: CodeBook) -> list[str]:
    """Split, but leave names that contain a separator themselves in one piece."""
    found = []
    for name in book.names(codes):
        if len(split(name)) > 1 and name in text:
            found.append(name)
            text = text.replace(name, "、")
    return found + split(text)


def as_code_even_none(codes: str) -> Read:
    """Where the list itself has an entry "无"."""

    def read(text: str, book: CodeBook) -> str | None:
        return book.find(codes, text) or (None if is_empty(text) else _code(codes, text, book))

    return read


def is_empty(text: str) -> bool:
    return plain_word(text) in EMPTY


def _code(codes: str, text: str, book: CodeBook) -> str:
    code = book.find(codes, text)
    if code is None:
        names = book.names(codes)
        shown = "、".join(names[:12]) + (" 等" if len(names) > 12 else "")
        raise CellFault(f"“{text}”不在可选值中，可填：{shown}")
    return code


def as_date(text: str, _: CodeBook) -> date:
    found = _DATE.fullmatch(text)
    try:
        if found:
            return date(*(int(part) for part in found.groups()))
    except ValueError:
        pass  # the 31st of February: same message
    raise CellFault(f"“{text}”不是日期，请填如 2026-03-12")


def as_number(text: str, _: CodeBook) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise CellFault(f"“{text}”不是整数")
    return int(text)


def as_yes_no(text: str, _: CodeBook) -> bool:
    word = plain_word(text)
    if word in _YES or word in _NO:
        return word in _YES
    raise CellFault(f"“{text}”应为“是”或“否”")


def as_addresses(text: str, _: CodeBook) -> tuple[str, ...]:
    found = tuple(part for part in re.split(r"[\s；;，,、]+(?=https?://)|\s+", text) if part)
    for address in found:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise CellFault(f"“{address}”不是以 http:// 或 https:// 开头的网址")
    return found


def as_basis(text: str, _: CodeBook) -> tuple[Mapping[str, str], ...]:
    """Legal bases, one a line or parted by "；": "法律：《…法》（文号）第三条", or "被采集人同意"."""
    return tuple(_basis(part.strip()) for part in re.split(r"[；;\n]+", text) if part.strip())


def _basis(text: str) -> Mapping[str, str]:
    if text in ("同意", "被采集人同意"):
        return {"kind": "consent"}
    found = _BASIS.fullmatch(text)
    if found is None:
        raise CellFault(f"“{text}”应写成：《法律名称》第几条；多个依据用分号隔开")
    title = found["title"].strip()
    kind = _BASIS_KINDS.get(found["kind"] or "") or _kind_by_title(title)
    values = {
        "kind": kind,
        "title": title,
        "document_number": (found["number"] or "").strip(),
        "article": found["article"].strip(),
    }
    return {key: value for key, value in values.items() if value}


def _kind_by_title(title: str) -> str:
    endings = {"法": "law", "条例": "regulation", "办法": "rule", "规定": "rule"}
    longest_first = sorted(endings, key=len, reverse=True)
    return next((endings[e] for e in longest_first if title.endswith(e)), "other")
