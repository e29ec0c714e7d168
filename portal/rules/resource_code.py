"""Resource codes (政务信息资源代码): classification code, "/", sequence number.

Source: 发改高技〔2017〕1272号 for the structure; the values of 项, 目 and 细目 are a convention
of this project (domain/catalogue-fields.md, section 3).
"""

from __future__ import annotations

import re

JILIN_SUB_ITEM = "022"
PROVINCE_ITEM = "07"
CODE_PATTERN = re.compile(r"^[123]\d{5}\d{9}/\d{6}$")
SLUG_PREFIX = "jl-"


def front_part(
    *, resource_class: str, item_position: int, region_digits: str, department_serial: str
) -> str:
    """Return the classification code: 类 1, 项 2, 目 3, 细目 6 + 3 digits.

    Args:
        resource_class: "1" base, "2" theme, "3" department.
        item_position: place in base_libraries.csv (class 1) or themes.csv (class 2), from 1.
        region_digits: six digits (`numeric_code` of regions.csv).
        department_serial: three digits.
    """
    if resource_class == "3":
        item, sub_item = PROVINCE_ITEM, JILIN_SUB_ITEM
    else:
        item, sub_item = f"{item_position:02d}", "000"
    return f"{resource_class}{item}{sub_item}{region_digits}{department_serial}"


def resource_code(front: str, sequence: int) -> str:
    return f"{front}/{sequence:06d}"


def slug(code: str) -> str:
    """Return the form used in URLs and as CKAN's `name`."""
    return SLUG_PREFIX + code.replace("/", "-")
