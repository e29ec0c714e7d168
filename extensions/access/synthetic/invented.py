"""Texts and numbers that nobody has, for columns of which nothing of the real table may be known.

What kind of text it is, is read from the information item: its masking rule, then its name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from extensions.access.synthetic.shapes import PLACE_CHARACTERS, fill, shape_of
from portal.rules.entry_content import InformationItem

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉"
ROADS = ("示例大街", "示例路", "示例胡同")
FIRST_DAY, DAYS = date(2024, 1, 1), 730
OTHER_DAYS = 60_000  # a guarded date that meets a real one moves on within these
DEFAULT_MOST = 1_000


def phone(random: Random, _item: InformationItem) -> str:
    return f"1{random.choice('3578')}{random.randrange(10**9):09d}"


def identity_number(random: Random, _item: InformationItem) -> str:
    """Return 18 characters whose last one is never the right check character (GB 11643)."""
    born = date(1950, 1, 1) + timedelta(days=random.randrange(20_000))
    digits = f"220000{born:%Y%m%d}{random.randrange(1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    right = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
    return digits + "10X98765432"[(right + 1) % 11]


def person(random: Random, _item: InformationItem) -> str:
    return random.choice(SURNAMES) + "".join(random.choices(GIVEN, k=random.choice((1, 2, 2))))


def address(random: Random, _item: InformationItem) -> str:
    return f"{random.choice(PLACE_CHARACTERS)}{random.choice(PLACE_CHARACTERS)}区" + (
        f"{random.choice(ROADS)}{random.randrange(1, 2000)}号"
    )


def email(random: Random, _item: InformationItem) -> str:
    return f"user{random.randrange(10**6):06d}@example.com"


def web_address(random: Random, _item: InformationItem) -> str:
    return f"https://example.com/{random.randrange(10**6):06d}"


def code(random: Random, item: InformationItem) -> str:
    digits = max(4, min(item.length or 8, 12))
    return "".join(str(random.randrange(10)) for _ in range(digits))


def words(random: Random, item: InformationItem) -> str:
    """Return a few characters that look like a name: within the item's length."""
    most = max(2, min(item.length or 8, 8))
    return "".join(random.choices(PLACE_CHARACTERS, k=random.randint(2, most)))


Maker = Callable[[Random, InformationItem], str]
_BY_MASKING: dict[str, Maker] = {
    "mask_phone": phone,
    "mask_id": identity_number,
    "mask_name": person,
}
_BY_NAME: tuple[tuple[tuple[str, ...], Maker], ...] = (
    (("电话", "手机", "phone", "mobile", "tel"), phone),
    (("身份证", "证件号", "id_card", "identity"), identity_number),
    (("邮箱", "email"), email),
    (("网址", "链接", "url"), web_address),
    (("地址", "住所", "address"), address),
    (("姓名", "联系人", "负责人", "法定代表人", "contact_name", "keeper"), person),
    (("编号", "编码", "代码", "号码", "_id", "_no", "code"), code),
)


def text_of(item: InformationItem, random: Random) -> str:
    """Return an invented text for the item."""
    if item.sample and item.personal in ("", "none") and item.masking in ("", "none"):
        return fill(shape_of(item.sample), random)  # its shape alone
    made = _maker(item)(random, item)
    return made[: item.length] if item.length else made


def _maker(item: InformationItem) -> Maker:
    if item.masking in _BY_MASKING:
        return _BY_MASKING[item.masking]
    name = f"{item.name} {item.field_name}".lower()
    return next((maker for hints, maker in _BY_NAME if any(h in name for h in hints)), words)


def day_of(random: Random) -> date:
    return FIRST_DAY + timedelta(days=random.randrange(DAYS))
