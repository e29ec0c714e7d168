"""Whatever is sent to `package_search`, the answer is a result or CKAN's error, on both databases."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.portal.api.conftest import World

NASTY = st.sampled_from(
    ["\0", "\ud800", "\u202e公交", "';--", "organization:\0", "organization:\ud83d", "id:\0*",
     "name:\udfff", "tags:\0", "tags:*\0", "owner_org:(a OR \0)", "(a+)+$", "{!func}x", "1e999",
     "metadata_modified:[\0 TO NOW]", "organization:%*", "organization:_*", "res_format:\ud800*",
     "score desc, \0 asc", '["\\ud800"]', "9" * 400, "-1", "nan", "公" * 5_000, "((((((", "title:",
     "groups:" + "a" * 3_000, "text:" + "(a OR b) " * 200]
)  # fmt: skip
VALUES = st.one_of(
    NASTY,
    st.text(max_size=30),
    st.integers(),
    st.none(),
    st.booleans(),
    st.lists(NASTY, max_size=3),
)
NAMES = st.sampled_from(
    ["q", "fq", "fq_list", "sort", "rows", "start", "facet.field", "facet.limit", "ext_bbox", "explain",
     "include_private", "as_typed", "facet", "cursor"]
)  # fmt: skip


def test_nothing_that_is_sent_is_an_error_of_ours(world: World) -> None:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(st.dictionaries(NAMES, VALUES, max_size=4))
    def run(sent: dict[str, object]) -> None:
        response = world.visitor.send(
            "POST", "package_search", data=json.dumps(sent), content_type="application/json"
        )
        assert response.status_code in (200, 400, 409), (sent, response.get_json())
        answer = response.get_json()  # a bare text where no JSON could be made out of the request
        succeeded = isinstance(answer, dict) and answer["success"]
        assert (response.status_code == 200) == succeeded

    run()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_thousand_filters_answer_or_are_refused(world: World) -> None:
    for number, expected in ((450, 200), (1_100, 400)):
        response = world.visitor.send(
            "POST", "package_search", json={"fq_list": ["-tags:a"] * number}
        )
        assert response.status_code == expected, response.get_json()
