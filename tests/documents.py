"""Documents as bytes, for tests that deliver them."""

from __future__ import annotations

from typing import Any

from fpdf import FPDF


def pdf(*pages: str, password: str = "") -> bytes:
    """Return a PDF; a page without text holds a picture, as a scan does."""
    document = FPDF()
    document.set_font("Helvetica", size=12)
    for text in pages:
        document.add_page()
        if text:
            document.multi_cell(0, 8, text)
        else:
            document.image(_picture(), x=10, y=10, w=50)
    if password:
        document.set_encryption(owner_password="owner", user_password=password)
    return bytes(document.output())


def _picture() -> Any:
    from PIL import Image

    return Image.new("RGB", (20, 20), "white")
