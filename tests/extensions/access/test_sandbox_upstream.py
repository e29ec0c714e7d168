"""The sandbox of an interface that a service answers: the same parameters, and nobody is asked."""

from __future__ import annotations

from extensions.access.services.sandbox_keys import SandboxKeyService
from tests.extensions.access.sandbox_fixtures import make_sandboxes
from tests.extensions.access.test_upstream import Make, code, service, through  # noqa: F401
from tests.extensions.access.upstream_server import Service


def test_a_client_of_the_service_is_written_on_the_sandbox(
    through: Make,  # noqa: F811
    service: Service,  # noqa: F811
) -> None:
    served = through()
    make_sandboxes(served.platform)
    with served.platform.database.writing() as session:
        new = SandboxKeyService(session, served.platform.clock).make(served.applicant)
    for query, expected in (
        ("stop_code=77", None), ("stop_code=77&fields=stop_code,duty_phone", None),
        ("", "bad_query"), ("stop_code=1&limit=3", "bad_query"), ("stop_code=1&fields=keeper", "bad_query"),
    ):  # fmt: skip
        answer = served.get(f"/rows?{query}", secret=new.secret)
        if expected:
            assert code(answer) == (400, expected), query
            continue
        assert answer.status_code == 200, answer.text
        assert answer.headers["Xiangyun-Sandbox"] == "synthetic"
        rows = answer.get_json(force=True)["data"]
        assert [row["stop_code"] for row in rows] == ["77"]
    assert code(served.get("/count?stop_code=1", secret=new.secret)) == (404, "not_offered")
    of_sandbox, of_grant = (
        served.get("/schema", secret=secret).get_json(force=True)["fields"]
        for secret in (new.secret, served.secret)
    )
    assert {one["name"]: one["type"] for one in of_grant}.items() <= {
        one["name"]: one["type"] for one in of_sandbox
    }.items()
    page = served.client.get("/interfaces/bus-stops?call=rows&field0=stop_code&value0=9")
    assert "rows?stop_code=9" in page.text
    assert "stop_code（必填）" in page.text
    assert "rows?stop_code=VALUE" in page.text  # the programs send what must be sent
    assert service.asked == []


def test_the_document_names_the_parameters_of_the_service(
    through: Make,  # noqa: F811
    service: Service,  # noqa: F811
) -> None:
    served = through()
    document = served.client.get("/data/v1/bus-stops/openapi.json").get_json()
    rows = document["paths"]["/data/v1/bus-stops/rows"]["get"]["parameters"]
    declared = {one["name"]: one["required"] for one in rows}
    assert declared.pop("stop_code") is True
    assert {"fields", "format"} <= set(declared)
    assert not {"limit", "sort", "cursor"} & set(declared)
    assert not any(path.endswith(("/count", "/aggregate")) for path in document["paths"])
    assert service.asked == []
