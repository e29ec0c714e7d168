"""Masked values keep what their rule keeps and nothing else."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from extensions.access.masking import mask_rows


@pytest.mark.parametrize(
    ("rule", "value", "shown"),
    [
        ("mask_phone", "13912345678", "139****5678"),
        ("mask_phone", "1234567", "*******"),
        ("mask_phone", 13912345678, "139****5678"),
        ("mask_id", "220102199001011234", "220*************34"),
        ("mask_id", "22010", "*****"),
        ("mask_name", "张三丰", "张**"),
        ("mask_name", "张", "张"),
        ("mask_name", "", ""),
        ("generalise_date", date(2024, 3, 5), "2024-03"),
        ("generalise_date", datetime(2024, 3, 5, 8, 30), "2024-03"),
        ("generalise_date", "2024-03-05", "2024-03"),
        ("generalise_date", "2024年3月5日", "2024"),
        ("drop", "秘密", None),
        ("a rule nobody knows", "秘密", None),
        ("none", "公开", "公开"),
        ("", 12, 12),
        ("mask_phone", None, None),
    ],
)
def test_a_value_under_its_rule(rule: str, value: object, shown: object) -> None:
    assert mask_rows([{"f": value, "g": 1}], {"f": rule}) == [{"f": shown, "g": 1}]
