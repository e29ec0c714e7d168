from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

from portal.tables.json_values import dumps, json_rows, json_value


def test_values_keep_every_digit():
    row = {
        "a": Decimal("12345678901234567890.123"), "b": Decimal("0.10"), "c": Decimal("1E+2"),
        "d": 2**53, "e": 2**53 + 1, "f": date(2024, 1, 2), "g": datetime(2024, 1, 2, 3, 4),
        "h": datetime(2024, 1, 2, 3, 4, 5, 600000), "i": None, "j": "汉字", "k": True,
    }  # fmt: skip
    text = dumps(json_rows([row])).decode()
    assert '"a":12345678901234567890.123,"b":0.10,"c":100,"d":9007199254740992' in text
    read = json.loads(text, parse_float=Decimal)[0]
    assert read["a"] == row["a"]
    assert read["e"] == "9007199254740993"
    assert read["f"] == "2024-01-02"
    assert read["g"] == "2024-01-02T03:04:00"
    assert read["h"] == "2024-01-02T03:04:05.600000"
    assert (read["i"], read["j"], read["k"]) == (None, "汉字", True)
    assert json_value("x") == "x"
