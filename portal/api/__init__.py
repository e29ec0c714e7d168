"""JSON routes."""

from __future__ import annotations

from flask import Blueprint

from portal.api import cors, description, dispatch, jsonp

dispatch.blueprint.after_request(cors.allow_calls)
dispatch.blueprint.after_request(jsonp.wrap)

API_BLUEPRINTS: tuple[Blueprint, ...] = (dispatch.blueprint, description.blueprint)
