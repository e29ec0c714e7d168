"""JSON routes."""

from flask import Blueprint

API_BLUEPRINTS: tuple[Blueprint, ...] = ()
