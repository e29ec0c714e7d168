from __future__ import annotations

import io

import pytest

from portal.errors import Invalid
from portal.tables.encoding import (
    ENOUGH_CONFIDENCE,
    BinaryContent,
    codec_named,
    decoded,
    detect_encoding,
    detect_encoding_of,
    transcode,
)

SIMPLIFIED = "吉林省长春市公共数据开放平台，2024年各县（市、区）人口和医院床位统计。" * 4
TRADITIONAL = "臺灣高雄市政府開放資料平臺，各區人口與醫院病床統計，歷年公車路線。" * 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hospitals_gb18030.csv", "gb18030"),
        ("sights_big5.csv", "big5hkscs"),
        ("population_utf16le_bom.csv", "utf-16-le"),
        ("population_utf16be.csv", "utf-16-be"),
        ("population_utf8_bom.csv", "utf-8"),
        ("bad_bytes.csv", "utf-8"),
    ],
)
def test_files_are_told_apart(files, name, expected):
    guess = detect_encoding(files / name)
    assert guess.name == expected
    assert guess.confidence >= ENOUGH_CONFIDENCE


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("cut", range(40, 60))
def test_a_cut_last_character_is_forgiven(encoding, cut):
    text = "编号,名称\r\n1," + SIMPLIFIED
    assert detect_encoding_of(text.encode(encoding)[:cut]).name == encoding


@pytest.mark.parametrize("cut", range(40, 60))
def test_big5_is_told_from_gb18030(cut):
    assert detect_encoding_of(TRADITIONAL.encode("big5hkscs")[:cut]).name == "big5hkscs"


def test_gb18030_that_comes_late_in_an_ascii_file_is_seen(tmp_path):
    path = tmp_path / "late.csv"
    path.write_bytes(b"a,b\n" * 200_000 + f"甲,{SIMPLIFIED}\n".encode("gb18030"))
    assert detect_encoding(path).name == "gb18030"


def test_a_european_file_is_not_guessed_with_confidence():
    greek = "όνομα,πόλη,περιγραφή\nΑθήνα,Ελλάδα,πρωτεύουσα\n" * 20
    assert detect_encoding_of(greek.encode("iso-8859-7")).confidence < ENOUGH_CONFIDENCE


def test_nulls_that_are_no_text_are_binary(files):
    with pytest.raises(BinaryContent):
        detect_encoding(files / "binary.csv")


def test_a_person_may_name_the_encoding():
    assert codec_named("GB2312") == "gb18030"
    assert codec_named("Big5") == "big5hkscs"
    assert codec_named("UTF-8") == "utf-8"
    with pytest.raises(Invalid) as caught:
        codec_named("klingon")
    assert "klingon" in caught.value.defects[0].text()


def test_transcoding_streams_and_drops_the_mark():
    text = SIMPLIFIED * 5000
    source = io.BytesIO("\ufeff".encode("utf-16-le") + text.encode("utf-16-le"))
    pieces = list(transcode(source, "utf-16-le"))
    assert len(pieces) > 2
    assert b"".join(pieces).decode() == text
    with pytest.raises(UnicodeDecodeError):
        list(decoded(io.BytesIO(b"abc\xff\xff"), "utf-8"))
