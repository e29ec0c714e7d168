"""Checksums: in SQL over every row, and by python-stdnum on what that leaves.

The SQL says the same as the library (a test compares them on many numbers); it is what makes a
million rows a matter of seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from stdnum import luhn
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

_RIC_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CARD_LENGTH = 19


def ric_sql(text: str) -> str:
    """Return SQL that is true for an 18-digit identity number with its checksum and a real date."""
    total = " + ".join(f"{w} * {_digit(text, n)}" for n, w in enumerate(_RIC_WEIGHTS, start=1))
    checked = f"substr('10X98765432', 1 + ({total}) % 11, 1) = upper(substr({text}, 18, 1))"
    day = f"try_strptime(substr({text}, 7, 8), '%Y%m%d') IS NOT NULL"
    return f"({checked} AND {day})"


def uscc_sql(text: str) -> str:
    """Return SQL that is true for a unified social credit code with its check character."""
    upper = f"upper({text})"
    total = " + ".join(
        f"{w} * (instr('{_USCC_ALPHABET}', substr({upper}, {n}, 1)) - 1)"
        for n, w in enumerate(_USCC_WEIGHTS, start=1)
    )
    check = f"substr('{_USCC_ALPHABET}', 1 + (31 - ({total}) % 31) % 31, 1)"
    return f"({check} = substr({upper}, 18, 1))"


def luhn_sql(text: str) -> str:
    """Return SQL that is true for a card number by Luhn; zeros before it change nothing."""
    padded = f"lpad({bare_sql(text)}, {_CARD_LENGTH}, '0')"
    parts = []
    for place in range(1, _CARD_LENGTH + 1):
        digit = _digit(padded, place)
        doubled = (_CARD_LENGTH - place) % 2 == 1
        parts.append(f"({digit} * 2 - 9 * ({digit} > 4)::INTEGER)" if doubled else digit)
    return f"(({' + '.join(parts)}) % 10 = 0)"


def bare_sql(text: str) -> str:
    return f"replace(replace({text}, ' ', ''), '-', '')"


def _digit(text: str, place: int) -> str:
    return f"(ascii(substr({text}, {place}, 1)) - 48)"


def is_id_number(text: str) -> bool:
    """True by check digit and date of birth; the place may be newer than any list of places."""
    number = ric.compact(text)
    try:
        ric.get_birth_date(number)
    except (ValidationError, ValueError):
        return False
    return len(number) == 18 and number[-1] == ric.calc_check_digit(number)


def is_credit_code(text: str) -> bool:
    return bool(uscc.is_valid(text))


def is_card_number(text: str) -> bool:
    bare = text.replace(" ", "").replace("-", "")
    return bool(luhn.is_valid(bare)) and not is_id_number(bare)


SQL_CHECKS: dict[str, Callable[[str], str]] = {
    "id_number": ric_sql,
    "uscc": uscc_sql,
    "bank_card": luhn_sql,
}
LIBRARY_CHECKS: dict[str, Callable[[str], bool]] = {
    "id_number": is_id_number,
    "uscc": is_credit_code,
    "bank_card": is_card_number,
}
