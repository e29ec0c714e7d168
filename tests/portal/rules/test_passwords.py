"""Rules of new passwords and of mail addresses."""

from __future__ import annotations

import pytest

from portal.rules.mail_address import clean_address, clean_mobile, head_line
from portal.rules.passwords import password_defects


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "too_short"),
        ("x" * 201, "too_long"),
        ("aaaaaaaaaaaa", "too_simple"),
        ("abcdefghijkl", "too_simple"),
        ("zyxwvutsrqponm", "too_simple"),
        ("liming1234", "own_name"),
        ("Password123", "well_known"),
        ("123456abcd", "well_known"),
        ("woaini1314", "well_known"),
    ],
)
def test_weak_passwords_are_refused(password: str, code: str) -> None:
    assert code in [d.code for d in password_defects(password, "liming", "liming@example.cn")]


@pytest.mark.parametrize(
    "password", ["correct horse battery", "a new long one", "长春的冬天很冷要多穿衣", "x7#Kd9-Wq2"]
)
def test_long_or_varied_passwords_pass(password: str) -> None:
    assert password_defects(password, "liming", "li@example.cn") == []


def test_addresses_and_numbers_are_cleaned() -> None:
    assert clean_address(" Li.Ming@Jilin.Gov.CN ") == "li.ming@jilin.gov.cn"
    assert clean_mobile("+86 138 0000 1111") == "13800001111"
    assert clean_mobile("12345") is None
    assert head_line("一\r\n二\x00三") == "一 二 三"
