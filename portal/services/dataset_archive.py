"""A whole data set as one archive: its files, what they mean, under which terms, and their hashes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from portal.clock import local_date
from portal.codes import code_list
from portal.rules.entry_content import EntryContent, InformationItem
from portal.services.entry_view import EntryView, FileView
from portal.storage.base import Storage
from portal.tables.export import safe_header
from portal.tables.info import Column, TableInfo
from portal.tables.zip_stream import SUMS, Member, text_member

DICTIONARY_HEAD = (
    "文件", "列名", "字段名", "数据类型", "说明", "单位", "代码表", "主键", "可为空", "公众可得",
    "空白数", "不同值数", "最小", "最大",
)  # fmt: skip
YES_NO = {True: "是", False: "否"}
LEFT_OUT_HELD = "正在做发布前检查，暂不提供"
LEFT_OUT_LINK = "在提供单位的网站上：{url}"


@dataclass(frozen=True)
class Packed:
    """A file of the data set as it goes into the archive: whole, or its open columns as CSV."""

    file: FileView
    name: str
    content: Callable[[], Iterable[bytes]]
    sha256: str
    note: str = ""


def pack_files(
    view: EntryView,
    storage: Storage,
    open_columns: Callable[[TableInfo], Iterator[bytes]],
    may_have_original: Callable[[FileView], bool],
) -> list[Packed]:
    """Return what the caller may have of each file, each under a name of its own.

    Args:
        open_columns: writes a table with its open columns as CSV.
        may_have_original: whether the file may leave as it was delivered.
    """
    taken: set[str] = set()
    packed = []
    for file in view.files:
        current = file.current
        if current is None:
            continue
        if may_have_original(file):
            name = _free_name(current.filename, taken)
            packed.append(Packed(file, name, _stored(storage, current.sha256), current.sha256))
        elif file.table is not None:
            name = _free_name(f"{PurePosixPath(current.filename).stem}.csv", taken)
            note = "只含公开的列，由原始文件生成"
            packed.append(Packed(file, name, _table(open_columns, file.table), "", note))
    return packed


def _stored(storage: Storage, sha256: str) -> Callable[[], Iterable[bytes]]:
    return lambda: storage.open(sha256)


def _table(
    write: Callable[[TableInfo], Iterator[bytes]], info: TableInfo
) -> Callable[[], Iterable[bytes]]:
    return lambda: write(info)


def _free_name(filename: str, taken: set[str]) -> str:
    """Return `data/<name>`, numbered where two files have one name (on any system)."""
    path = PurePosixPath(filename)
    name, number = f"data/{filename}", 1
    while name.lower() in taken:
        number += 1
        name = f"data/{path.stem} ({number}){path.suffix}"
    taken.add(name.lower())
    return name


def archive_members(
    view: EntryView, packed: Sequence[Packed], *, metadata: bytes, citation: str, address: str
) -> Iterator[Member]:
    """Yield the members of the archive, the text for people first.

    Args:
        metadata: the data set as JSON.
        citation: of the data set.
        address: of its page.
    """
    yield text_member("README.txt", readme(view, packed, citation, address))
    yield text_member("LICENCE.txt", licence_text(view.content))
    yield Member("metadata.json", lambda: [metadata])
    yield text_member("data-dictionary.csv", "\ufeff" + data_dictionary(view, packed))
    for one in packed:
        yield Member(one.name, one.content, one.sha256)


def readme(view: EntryView, packed: Sequence[Packed], citation: str, address: str) -> str:
    content = view.content
    pairs = [
        ("提供机构", view.provider.name),
        ("信息资源代码", view.code),
        ("网址", address),
        ("目录版本", f"第{view.version_number}版"),
        ("首次发布", local_date(view.issued_at).isoformat() if view.issued_at else ""),
        ("数据更新", local_date(view.modified_at).isoformat()),
        ("更新周期", code_list("update_frequency").label(content.update_frequency)),
        ("主题", code_list("themes").label(content.theme)),
        ("关键词", "、".join(content.keywords)),
        ("使用许可", code_list("licences").label(content.licence)),
        ("联系方式", " ".join(filter(None, (content.contact_name, content.contact_phone)))),
    ]
    lines = [content.title, "=" * 40, "", content.abstract, ""]
    lines += [f"{name}：{value}" for name, value in pairs if value]
    lines += ["", "引用格式（GB/T 7714—2015）", citation, "", "包含的文件"]
    lines += [_file_line(one) for one in packed]
    lines += [f"- 未包含 {file.name}：{why}" for file, why in left_out(view, packed)]
    lines += [
        "",
        "其他文件：metadata.json 元数据；data-dictionary.csv 数据字典（信息项和列）；LICENCE.txt 使用许可。",
        f"校验：{SUMS} 列出每个文件的 SHA-256，可用 sha256sum -c {SUMS} 核对。",
    ]
    return "\r\n".join(lines) + "\r\n"


def _file_line(packed: Packed) -> str:
    current = packed.file.current
    number = current.number if current else 0
    day = local_date(current.created_at).isoformat() if current else ""
    about = f"- {packed.name}：{packed.file.name}，第{number}版，{day}"
    return about + (f"（{packed.note}）" if packed.note else "")


def left_out(view: EntryView, packed: Sequence[Packed]) -> list[tuple[FileView, str]]:
    """Return the files that are not in the archive, and why, in words."""
    inside = {one.file.public_id for one in packed}
    return [
        (file, LEFT_OUT_LINK.format(url=file.url) if file.url else LEFT_OUT_HELD)
        for file in view.files
        if file.public_id not in inside
    ]


def licence_text(content: EntryContent) -> str:
    known = code_list("licences").find(content.licence)
    if known is None:
        return "提供单位没有写明使用许可，使用前请与其联系。\r\n"
    lines = [known.name, known.name_en, known["spdx_id"], known["url"]]
    if known.is_yes("attribution"):
        lines.append("使用时请注明数据来源。")
    return "\r\n".join(line for line in lines if line) + "\r\n"


def data_dictionary(view: EntryView, packed: Sequence[Packed]) -> str:
    """Return a CSV of the columns of every file and of the information items they belong to.

    An item that no file has, or whose column is not open, stands by itself.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(DICTIONARY_HEAD)
    items = {name: item for item in view.content.items for name in (item.field_name, item.name)}
    seen: set[str] = set()
    for one in packed:
        for column in one.file.table.columns if one.file.table else ():
            item = items.get(column.field_name) or items.get(column.name)
            seen |= {item.field_name} if item else set()
            writer.writerow(map(safe_header, _row(one.name, column, item)))
    for item in view.content.items:
        if item.field_name not in seen:
            writer.writerow(map(safe_header, _row("", None, item)))
    return out.getvalue()


def _row(name: str, column: Column | None, item: InformationItem | None) -> list[str]:
    kind = column.type.value if column else (item.data_type if item else "")
    return [
        name,
        column.name if column else (item.name if item else ""),
        column.field_name if column else (item.field_name if item else ""),
        kind,
        item.description if item else "",
        item.unit if item else "",
        item.code_list if item else "",
        YES_NO[item.primary_key] if item else "",
        YES_NO[item.nullable] if item else "",
        YES_NO[column is not None],
        str(column.blank_count) if column else "",
        str(column.distinct_count) if column else "",
        (column.minimum or "") if column else "",
        (column.maximum or "") if column else "",
    ]
