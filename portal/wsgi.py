"""Makes the application for a WSGI server."""

from __future__ import annotations

from flask import Flask

from portal.app import create_app
from portal.platform import open_platform
from portal.settings import read_settings


def make_app() -> Flask:
    return create_app(open_platform(read_settings()))
