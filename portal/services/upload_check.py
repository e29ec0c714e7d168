"""Look at an uploaded file before anything of it is recorded."""

from __future__ import annotations

from pathlib import Path

from portal.errors import Invalid
from portal.services.distributions import format_of, safe_filename
from portal.tables.archive import is_plain_archive
from portal.tables.limits import DEFAULT_LIMITS
from portal.tables.reader import holds_text_table
from portal.tables.text_rows import choose_encoding
from portal.tables.workbook_guard import check_workbook, is_packed, unreadable

WORKBOOKS, TEXTS = frozenset({"xlsx", "xls", "ods"}), frozenset({"csv"})


def check_upload(path: Path, filename: str) -> None:
    """Refuse what can never be read as what its name says.

    Raises:
        Invalid: nothing in it, a "CSV" that is no text, a workbook that is locked, broken or a bomb.
            A text or a web page under the name of a workbook is read as what it is.
    """
    if path.stat().st_size == 0:
        raise Invalid.one("file", "empty_file", "文件是空的（0 字节）。请检查导出结果后重新上传。")
    kind = format_of(safe_filename(filename))
    if kind not in WORKBOOKS | TEXTS:
        return
    if is_packed(path):
        if not is_plain_archive(path, filename):
            check_workbook(path, DEFAULT_LIMITS)
    elif kind in WORKBOOKS:
        if not holds_text_table(path, filename):
            raise unreadable()
    else:
        try:
            choose_encoding(path, None)
        except Invalid as error:
            if error.defects[0].code != "encoding_unclear":  # a person can still name it
                raise
