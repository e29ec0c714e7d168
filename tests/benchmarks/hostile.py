"""A fixed list of queries that mean harm, or that only look so."""

from __future__ import annotations

from typing import Any

Asked = dict[str, Any]

_DEEP = "(" * 500 + "公交" + ")" * 500
WORDS = (
    "公" * 4_000,
    "公交 " * 1_300,
    "a" * 4_000,
    " ".join(f"w{number}" for number in range(700)),
    " OR ".join(["公交"] * 400),
    "*" * 2_000,
    "?" * 500,
    "公交~" * 400,
    "(公交 AND " * 300,
    _DEEP,
    '"' * 999,
    "title:" * 500,
    "(a+)+$" * 200,
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    ".*" * 1_000,
    "[0-9" * 300,
    "公交\x00站点",
    "\u202e交公\u202c\u200f\ufeff",
    "\u0301" * 2_000,
    "ﷺ" * 200,
    "' OR 1=1; DROP TABLE catalogue_entry; --",
    '{!lucene}*:* _query_:"{!func}sum(1)"',
    '{"query":{"script":{"source":"while(true){}"}}}',
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "gongjiao" * 200,
    "xi'an " * 300,
    "1" * 1_000,
    "2010..2026 " * 200,
)
ASKED: tuple[Asked, ...] = (
    *({"q": words} for words in WORDS),
    {"q": "公" * 10_000},
    {"fq": [f"tags:标签{number}" for number in range(1_000)]},
    {"fq": " ".join(f"-name:x{number}" for number in range(500))},
    {"q": "公交", "facet.field": ["tags"] * 100},
    {"q": "公交", "rows": 1_000},
    {"start": 9_999_999},
    {"sort": "score desc, " * 50 + "name asc"},
    {"cursor": "9" * 60},
    {"fq": "metadata_modified:[0000 TO 9999-99-99T99:99:99Z]"},
    {"ext_bbox": "nan,inf,-inf,1e999"},
)
