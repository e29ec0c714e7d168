"""JSON routes."""

from __future__ import annotations

from flask import Blueprint

from portal.api import cors, description, dispatch

dispatch.blueprint.after_request(cors.allow_calls)

API_BLUEPRINTS: tuple[Blueprint, ...] = (dispatch.blueprint, description.blueprint)
