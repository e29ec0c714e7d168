"""The OpenAPI description of the Action API over HTTP."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from portal.api.dispatch import actions
from portal.api.openapi import openapi_document
from portal.web.access import public
from portal.web.context import platform

blueprint = Blueprint("action_description", __name__)


@blueprint.get("/api/3/openapi.json")
@public
def openapi() -> Response:
    response = Response(
        orjson.dumps(openapi_document(actions(), platform().settings)),
        content_type="application/json",
    )
    response.headers["Cache-Control"] = "public, max-age=600"
    return response
