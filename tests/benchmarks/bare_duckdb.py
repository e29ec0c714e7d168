"""A bare Flask route on an indexed DuckDB file: the same row, without anybody asking who wants it."""

from __future__ import annotations

import os
import threading

import duckdb
from flask import Flask, jsonify, request

FILE = "BARE_DUCKDB"
_local = threading.local()


def make_app() -> Flask:
    app = Flask(__name__)
    root = duckdb.connect(os.environ[FILE], read_only=True, config={"threads": 2})

    @app.get("/row")
    def row() -> object:
        if not hasattr(_local, "cursor"):
            _local.cursor = root.cursor()
        cursor = _local.cursor
        cursor.execute(
            "SELECT * EXCLUDE (_id) FROM rows WHERE stop_code = ?", [request.args["stop_code"]]
        )
        names = [column[0] for column in cursor.description]
        return jsonify(
            data=[dict(zip(names, map(str, one), strict=True)) for one in cursor.fetchall()]
        )

    return app
