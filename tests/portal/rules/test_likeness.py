"""Which entries are probably the same data, and which are one series or only neighbours."""

from __future__ import annotations

import pytest

from portal.rules.likeness import LIKE_ITEMS, LIKE_TITLE, SAME_TITLE, Sketch, likeness

STOPS = ("站点编码", "站点名称", "线路名称", "经度", "纬度", "备注")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (Sketch("吉林省医疗机构名录", ()), Sketch("吉林省医疗机构（名录）", ()), SAME_TITLE),
        (Sketch("吉林省医疗机构名录", ()), Sketch("全省医疗机构信息", ()), LIKE_TITLE),
        (Sketch("吉林省公交站点信息", STOPS), Sketch("公共汽电车站点数据", STOPS[:5]), LIKE_ITEMS),
    ],
)
def test_probably_the_same(one: Sketch, other: Sketch, why: str) -> None:
    found = likeness(one, other)
    assert found is not None
    assert found.why == why


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Sketch("2024年吉林省道路统计", STOPS), Sketch("2025年吉林省道路统计", STOPS)),
        (Sketch("交通信息第1号", STOPS), Sketch("交通信息第2号", STOPS)),
        (
            Sketch("长春市公交站点", STOPS, frozenset({"长春"})),
            Sketch("四平市公交站点", STOPS, frozenset({"四平"})),
        ),
        (Sketch("吉林省高速公路收费站", ()), Sketch("吉林省高速公路服务区", ())),
        (Sketch("吉林省普通高中信息", ()), Sketch("吉林省普通高校信息", ())),
        (Sketch("降水量", ("备注", "序号")), Sketch("企业名录", ("备注", "序号"))),
        (Sketch("", ()), Sketch("企业名录", ())),
    ],
)
def test_other_data(one: Sketch, other: Sketch) -> None:
    assert likeness(one, other) is None


def test_items_of_every_table_say_nothing() -> None:
    found = likeness(Sketch("公交站点", STOPS), Sketch("公交站点", ("备注", "站点名称")))
    assert found is not None
    assert found.shared == ("站点名称",)
