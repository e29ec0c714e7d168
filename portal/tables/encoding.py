"""Which encoding a Chinese text file is in, and reading it in pieces."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from portal.errors import Invalid
from portal.tables.common_characters import COMMON

PIECE_BYTES = 256 * 1024
SAMPLE_CHARACTERS = 20_000
ENOUGH_CONFIDENCE = 0.5
FEW_NULS = 0.002  # a broken export; text of UTF-16 has more, and what is no text too

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PUNCTUATION = frozenset("，。、；：？！（）【】《》“”‘’—…·％～－／℃㎡°　")
# What an uploader may name; the codec that reads it. GB18030 holds GBK and GB2312 whole.
_NAMED = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-16be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "cp950": "cp950",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-7": "iso-8859-7",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
}


class BinaryContent(ValueError):
    """The bytes are no text in any encoding known here."""


@dataclass(frozen=True)
class EncodingGuess:
    name: str  # a Python codec name; a byte order mark is not part of it
    confidence: float  # 0 to 1; below ENOUGH_CONFIDENCE a person should say


def codec_named(name: str) -> str:
    """Return the codec for an encoding that a person chose. Raises Invalid when unknown."""
    try:
        return _NAMED[name.strip().lower().replace("_", "-").replace("shift-jis", "shift_jis")]
    except KeyError:
        raise Invalid.one(
            "encoding",
            "encoding_unknown",
            "不认识文字编码“{encoding}”，请从 UTF-8、UTF-16、GB18030、Big5 中选择。",
            encoding=name[:40],
        ) from None


def detect_encoding(path: Path) -> EncodingGuess:
    """Look through a whole file: marks and NULs first, then strict UTF-8, then GB18030 or Big5.

    Raises:
        BinaryContent: NULs that are not those of UTF-16.
    """
    with path.open("rb") as file:
        head = file.read(PIECE_BYTES)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return EncodingGuess(name, 1.0)
        if head.count(0) > len(head) * FEW_NULS:
            return _utf16_by_nulls(head)
        file.seek(0)
        suspect = _first_piece_not_utf8(file)
    if suspect is None:
        return EncodingGuess("utf-8", 1.0)
    return _legacy(suspect)


def detect_encoding_of(sample: bytes) -> EncodingGuess:
    """The same for the first bytes of something, which may end within a character."""
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return EncodingGuess(name, 1.0)
    if sample.count(0) > len(sample) * FEW_NULS:
        return _utf16_by_nulls(sample)
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return _legacy(sample)
    return EncodingGuess("utf-8", 1.0)


def decoded(source: BinaryIO, encoding: str) -> Iterator[str]:
    """Decode a stream piece by piece, without its byte order mark.

    Raises:
        UnicodeDecodeError: bytes that this encoding does not have.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    first = True
    while True:
        piece = source.read(PIECE_BYTES)
        text = decoder.decode(piece, final=not piece)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        if text:
            yield text
        if not piece:
            return


def transcode(source: BinaryIO, encoding: str, *, to: str = "utf-8") -> Iterator[bytes]:
    """Yield a text stream in another encoding, in pieces; raises UnicodeError as `decoded`."""
    encoder = codecs.getincrementalencoder(to)("strict")
    for text in decoded(source, encoding):
        yield encoder.encode(text)


def _first_piece_not_utf8(file: BinaryIO) -> bytes | None:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    while True:
        piece = file.read(PIECE_BYTES)
        if piece.count(0) > max(8, len(piece) * FEW_NULS):
            raise BinaryContent
        try:
            decoder.decode(piece, final=not piece)
        except UnicodeDecodeError:
            # Start on a line, so that no character of two bytes is taken up in its middle.
            start = 0 if file.tell() <= PIECE_BYTES else piece.find(b"\n") + 1
            return piece[start:] + file.read(PIECE_BYTES)
        if not piece:
            return None


def _utf16_by_nulls(head: bytes) -> EncodingGuess:
    """Read it both ways round: the right one gives ASCII and common characters."""
    scores = {name: _share_readable(head, name) for name in ("utf-16-le", "utf-16-be")}
    best = max(scores, key=scores.__getitem__)
    if scores[best] < 0.6:
        raise BinaryContent
    return EncodingGuess(best, round(scores[best], 2))


def _share_readable(head: bytes, encoding: str) -> float:
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(head)[:SAMPLE_CHARACTERS]
    except UnicodeDecodeError:
        return 0.0
    readable = sum(
        " " <= character <= "~"
        or character in "\t\r\n"
        or "\u3400" <= character <= "\u9fff"  # rare ones too: names are full of them
        or _is_common(character)
        for character in text
    )
    return readable / max(len(text), 1)


def _legacy(sample: bytes) -> EncodingGuess:
    scores = {name: _share_of_common(sample, name) for name in ("gb18030", "big5hkscs", "utf-8")}
    best = max(scores, key=lambda name: scores[name])
    second = max(score for name, score in scores.items() if name != best)
    if scores[best] < 0.3:  # neither: a European encoding, or no text
        return EncodingGuess(best, 0.2)
    return EncodingGuess(best, round(min(0.99, 0.6 + scores[best] - max(second, 0)), 2))


def _share_of_common(sample: bytes, encoding: str) -> float:
    """Return how much of the text beyond ASCII is common Chinese, less five times the misfits."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample, final=False)
    beyond = [character for character in text if character > "\x7f"][:SAMPLE_CHARACTERS]
    if not beyond:
        return 0.0
    common = sum(map(_is_common, beyond))
    misfits = beyond.count("\ufffd")
    return (common - 5 * misfits) / len(beyond)


def _is_common(character: str) -> bool:
    return character in COMMON or character in _PUNCTUATION
