"""上游服务: an agency's own service behind an interface, called request by request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, UtcDateTime


class UpstreamService(Base):
    """Where an interface's answers come from, instead of a table.

    `rows_path` is the JSON pointer (RFC 6901) of the list of rows in an answer, `parameters` what
    a caller may or must send ({name, send_as, required}), `seconds` the longest a call may take.
    `sealed_secret` goes in the header `secret_header` and is never shown. `test_code` is how the
    last test call ended ("" well, a code of REFUSALS, or "none" before the first).
    """

    __tablename__ = "access_upstream"

    interface_id: Mapped[int] = mapped_column(ForeignKey("data_interface.id"), primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    rows_path: Mapped[str] = mapped_column(String(200))
    parameters: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    seconds: Mapped[int] = mapped_column(Integer)
    secret_header: Mapped[str] = mapped_column(String(60))
    sealed_secret: Mapped[str] = mapped_column(Text)
    row_version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    tested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    test_code: Mapped[str] = mapped_column(String(30), default="none")
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
