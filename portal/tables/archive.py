"""A ZIP archive with a table in it: guarded against bombs, one member taken out."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from portal.errors import Invalid
from portal.tables.limits import MIB, ReadLimits

SUFFIXES = (
    ".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm", ".xls", ".et", ".ods",
    ".json", ".jsonl", ".ndjson", ".geojson", ".parquet",
)  # fmt: skip
PIECE_BYTES = MIB
_OTHER_PACKAGES = ("xl/", "content.xml", "META-INF/", "word/", "ppt/", "[Content_Types].xml")
_EXPLAINS = re.compile(r"readme|说明|字典|目录$|changelog")
_UTF8_NAME = 0x800  # flag of an entry


@dataclass(frozen=True)
class Member:
    path: Path  # where it was put
    name: str
    names: list[str]  # of all tables in the archive


def is_plain_archive(path: Path, filename: str) -> bool:
    """Whether the file is an archive of files, and no workbook or other document."""
    if filename.lower().endswith((".xlsx", ".xlsm", ".xls", ".et", ".ods")):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return True  # `extract` says what is wrong with it
    return not any(name.startswith(_OTHER_PACKAGES) for name in names)


def extract(path: Path, wanted: str, folder: Path, limits: ReadLimits) -> Member:
    """Take out the table named, or the first one.

    Raises:
        Invalid: no archive, locked, a bomb, or no such table in it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            tables = _tables(archive, limits)
            entry = _chosen(tables, wanted)
            target = folder / f"member{PurePosixPath(_name(entry)).suffix.lower()}"
            _unpack(archive, entry, target, limits)
            return Member(target, _name(entry), [_name(one) for one in tables])
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise Invalid.one(
            "file",
            "archive_unreadable",
            "压缩包已损坏，或用了不支持的压缩方式。请重新打包为 ZIP 后上传。",
        ) from None
    except RuntimeError:  # zipfile: an entry is locked by a password
        raise Invalid.one(
            "file", "encrypted", "压缩包设有密码，无法读取。请取消密码后重新打包上传。"
        ) from None


def _tables(archive: zipfile.ZipFile, limits: ReadLimits) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > limits.archive_entries:
        raise Invalid.one(
            "file",
            "too_large",
            "压缩包里有 {found} 个文件，最多 {allowed} 个。",
            found=len(entries),
            allowed=limits.archive_entries,
        )
    found = [
        entry
        for entry in entries
        if not entry.is_dir()
        and _name(entry).lower().endswith(SUFFIXES)
        and not PurePosixPath(_name(entry)).name.startswith((".", "~$"))
        and not _name(entry).startswith("__MACOSX/")
    ]
    if not found:
        raise Invalid.one(
            "file",
            "no_table_in_archive",
            "压缩包里没有表格文件（CSV、XLSX、JSON 等），只能下载原文件。压缩包里的压缩包不会再打开。",
        )
    return sorted(found, key=lambda entry: (_is_text(entry), _name(entry)))


def _is_text(entry: zipfile.ZipInfo) -> bool:
    """Read-me files come last: most are no tables."""
    name = PurePosixPath(_name(entry).lower())
    return name.suffix == ".txt" or bool(_EXPLAINS.search(name.stem))


def _chosen(tables: list[zipfile.ZipInfo], wanted: str) -> zipfile.ZipInfo:
    if not wanted:
        return tables[0]
    for entry in tables:
        if _name(entry) == wanted:
            return entry
    raise Invalid.one(
        "sheet",
        "sheet_missing",
        "压缩包中没有名为“{sheet}”的表格；现有：{sheets}。",
        sheet=wanted[:80],
        sheets="、".join(map(_name, tables))[:400],
    )


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the name; Chinese programs write it in GBK, which zipfile takes for cp437."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("gb18030")
    except UnicodeError:
        return entry.filename


def _unpack(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, limits: ReadLimits
) -> None:
    """Write the member out; what its header claims is not believed, the bytes are counted."""
    written = 0
    with archive.open(entry) as source, target.open("wb") as file:
        while piece := source.read(PIECE_BYTES):
            written += len(piece)
            packed = max(entry.compress_size, 1)
            if written > limits.text_bytes or (
                written > 10 * MIB and written > packed * limits.archive_ratio
            ):
                raise Invalid.one(
                    "file",
                    "archive_bomb",
                    "压缩包里的“{name}”解压后过大（{found} MB 以上），为安全起见不予读取。",
                    name=_name(entry)[:80],
                    found=written // MIB,
                )
            file.write(piece)
