"""Figures as a file: CSV that spreadsheets open as UTF-8."""

from __future__ import annotations

from flask import Response


def csv_answer(text: str, filename: str) -> Response:
    response = Response("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
