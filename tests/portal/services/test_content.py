"""Input to content: every value of a wrong shape is named."""

from __future__ import annotations

from typing import Any

import pytest

from portal.errors import Invalid
from portal.services.content import parse_content


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": 7}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "长" * 100_001}, "title"),
        (
            {"title": "x", "items": [{"order": 10**30, "name": "a", "field_name": "a"}]},
            "items.0.order",
        ),
        ({"title": "x", "items": [{"name": "a"}]}, "items.0.order"),
        ({"title": "x", "temporal_start": "yesterday"}, "temporal_start"),
        ({"title": "x", "tittle": "y"}, "tittle"),
        ({}, "title"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_content(values)
    assert field in {defect.field for defect in caught.value.defects}
