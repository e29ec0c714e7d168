"""What the contract suite needs to know of each kind: where it asks, and good and bad content."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from harvesters.ckan.kind import CkanKind
from harvesters.open_list.kind import OpenListKind
from harvesters.record import Codes, SourceKind
from tests.harvesters.packages import package, packages
from tests.harvesters.replay import Answer, CkanCatalogue, Step


@dataclass(frozen=True)
class Case:
    """`good(n)` answers with n records, `with_one_bad(n)` with n of which the second is faulty."""

    name: str
    make: Callable[..., SourceKind]
    url_path: str
    asked_path: str
    good: Callable[[int], Step]
    with_one_bad: Callable[[int], Step]

    def kind(self, codes: Codes, sleep: Callable[[float], None]) -> SourceKind:
        return self.make(codes, sleep=sleep)


def _bad_ckan(count: int) -> Step:
    some = packages(count)
    some[1] = package(1, title="", name="")
    return CkanCatalogue(some)


def _list(count: int, bad: int | None = None) -> Answer:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["数据集名称", "提供单位", "更新周期", "开放类型"])
    for number in range(count):
        frequency = "每百年" if number == bad else "每日"
        writer.writerow([f"数据集 {number}", "省统计局", frequency, "无条件开放"])
    return Answer(body=text.getvalue().encode("gb18030"), headers={"Content-Type": "text/csv"})


CASES = [
    Case(
        "ckan",
        CkanKind,
        "",
        "/api/action/package_search",
        lambda count: CkanCatalogue(packages(count)),
        _bad_ckan,
    ),
    Case(
        "open_list",
        OpenListKind,
        "/list.csv",
        "/list.csv",
        _list,
        lambda count: _list(count, bad=1),
    ),
]
