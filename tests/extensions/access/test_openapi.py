"""The OpenAPI document and the gateway agree, whatever schemathesis thinks of to ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from extensions.access.errors import REFUSALS
from extensions.access.rules import Terms
from portal.platform import Platform
from tests.extensions.access.conftest import Served

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
EXAMPLES = 25
OFTEN = Terms(
    fields=("stop_code", "stop_name", "duty_phone"), quota_day=100_000, per_minute=6_000,
    term_days=30,
)  # fmt: skip


def test_the_guide_names_every_refusal() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "api-guide.md").read_text(encoding="utf-8")
    assert [code for code in REFUSALS if f"`{code}`" not in guide] == []


@pytest.mark.slow
def test_no_answer_is_outside_the_document(
    make_platform: Callable[..., Platform], serve: Callable[..., Served]
) -> None:
    served = serve(make_platform("sqlite"), OFTEN)
    app = served.client.application
    schema = schemathesis.openapi.from_wsgi("/data/v1/bus-stops/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 6
    for operation in operations:
        _try(operation, served)


def _try(operation: Any, served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.secret}"}
    if operation.path == "/oauth/token":
        headers = {}

    @seed(20261124)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    ask()
