"""JSON routes."""

from __future__ import annotations

from flask import Blueprint

from portal.api import description, dispatch

API_BLUEPRINTS: tuple[Blueprint, ...] = (dispatch.blueprint, description.blueprint)
