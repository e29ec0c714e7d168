"""What the contract suite needs to know of each kind: where it asks, and good and bad content."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from harvesters.ckan.kind import CkanKind
from harvesters.datajson.kind import DataJsonKind
from harvesters.dcat.kind import DcatKind
from harvesters.open_list.kind import OpenListKind
from harvesters.record import Codes, SourceKind
from tests.harvesters.packages import package, packages
from tests.harvesters.replay import Answer, CkanCatalogue, Step, json_answer


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


def _data_json(count: int, bad: int | None = None) -> Answer:
    datasets = [
        {
            "@type": "dcat:Dataset",
            "identifier": f"https://city.example/{number}",
            "title": "" if number == bad else f"数据集 {number}",
            "description": "说明",
            "keyword": ["公交", "站点"],
            "modified": "2026-11-01",
            "publisher": {"name": "长春市交通运输局"},
            "accessLevel": "public",
            "accrualPeriodicity": "R/P1D",
            "distribution": [
                {"downloadURL": f"https://city.example/{number}.csv", "format": "CSV"}
            ],
        }
        for number in range(count)
    ]
    return json_answer({"dataset": datasets})


def _turtle(count: int, bad: int | None = None) -> Answer:
    """The title of a bad one is missing."""
    prefixes = (
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"
    )
    datasets = [
        f"<https://city.example/{number}> a dcat:Dataset ; dct:description '说明' ; "
        + ("" if number == bad else f"dct:title '数据集 {number}'@zh ; ")
        + f"dct:issued '2026-11-01' ; dcat:distribution [ dcat:downloadURL "
        f"<https://city.example/{number}.csv> ; dct:format 'CSV' ] .\n"
        for number in range(count)
    ]
    body = (prefixes + "".join(datasets)).encode()
    return Answer(body=body, headers={"Content-Type": "text/turtle; charset=utf-8"})


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
    Case(
        "datajson",
        DataJsonKind,
        "/data.json",
        "/data.json",
        _data_json,
        lambda count: _data_json(count, bad=1),
    ),
    Case(
        "dcat",
        DcatKind,
        "/catalog.ttl",
        "/catalog.ttl",
        _turtle,
        lambda count: _turtle(count, bad=1),
    ),
]
