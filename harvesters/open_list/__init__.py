"""Agencies' open lists (数据开放清单) as spreadsheets, at an address or uploaded."""

from harvesters.open_list.faults import UnreadableList
from harvesters.open_list.reader import read_open_list
from harvesters.open_list.template import write_template

__all__ = ["UnreadableList", "read_open_list", "write_template"]
