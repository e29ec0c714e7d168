"""Agencies' open lists (数据开放清单) as spreadsheets, at an address or uploaded."""

from harvesters.open_list.faults import NoHeader, UnreadableList
from harvesters.open_list.filled import write_filled
from harvesters.open_list.reader import read_open_list
from harvesters.record import Codes

__all__ = ["NoHeader", "UnreadableList", "read_open_list", "write_filled", "write_template"]


def write_template(codes: Codes) -> bytes:
    """Return the XLSX that agencies fill in; see `harvesters.open_list.template`."""
    from harvesters.open_list.template import write_template as write  # with openpyxl

    return write(codes)
