"""使用协议 as PDF: the accepted text, who accepted it and when, and its hash."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from fpdf import FPDF
from pylopdf_fonts_zh_cn import sans_path

from extensions.access.agreement import TITLE
from portal.clock import SHANGHAI

FONT = "Noto Sans SC"
MARGIN_MM, LINE_MM = 22, 7


class _Page(FPDF):
    """A4 with the agreement's number and the page's below each page."""

    def __init__(self, note: str) -> None:
        super().__init__(format="A4")
        self._note = note

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font(FONT, size=8)
        self.cell(0, 6, f"{self._note}　{self.page_no()}/{{nb}}", align="C")


@lru_cache(maxsize=32)
def agreement_pdf(text: str, digest: str, accepted_by: str, accepted_at: datetime) -> bytes:
    """Return the file; the same agreement gives the same bytes. Takes about a second at first.

    The font is embedded with the characters that are used, so that every reader shows them.
    """
    pdf = _Page(f"SHA-256 {digest[:16]}…")
    pdf.set_creation_date(accepted_at)
    pdf.set_margins(MARGIN_MM, 20, MARGIN_MM)
    pdf.add_font(FONT, "", str(sans_path()))
    pdf.set_title(TITLE)
    pdf.set_lang("zh-CN")
    pdf.add_page()
    first, *lines = text.strip().splitlines()
    pdf.set_font(FONT, size=15)
    _write(pdf, first, height=10, align="C")
    pdf.set_font(FONT, size=10.5)
    for line in lines:
        _write(pdf, line) if line.strip() else pdf.ln(LINE_MM / 2)
    pdf.ln(LINE_MM)
    moment = accepted_at.astimezone(SHANGHAI)
    _write(
        pdf, f"使用人（{accepted_by}）于{moment:%Y-%m-%d %H:%M:%S}（北京时间）在平台同意本协议。"
    )
    _write(pdf, f"协议文本的摘要（SHA-256）：{digest}")
    return bytes(pdf.output())


def _write(pdf: FPDF, text: str, *, height: float = LINE_MM, align: str = "L") -> None:
    pdf.multi_cell(0, height, text, align=align, new_x="LMARGIN", new_y="NEXT")
