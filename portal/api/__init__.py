"""JSON routes."""

from __future__ import annotations

from flask import Blueprint

from portal.api import dispatch

API_BLUEPRINTS: tuple[Blueprint, ...] = (dispatch.blueprint,)
