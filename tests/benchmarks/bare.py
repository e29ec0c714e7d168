"""A bare Flask application on the same server: what this machine gives at best, just now."""

from __future__ import annotations

from flask import Flask, jsonify

BODY = {"success": True, "result": ["吉林省公共数据开放平台"] * 40}


def make_app() -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def answer() -> object:
        return jsonify(BODY)

    return app
