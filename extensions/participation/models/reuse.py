"""应用成果: something made with open data, and the data versions that it uses."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from extensions.participation.models.moderated import Moderated
from portal.db import Base
from portal.errors import NotFound
from portal.models.entry import CatalogueEntry, EntryVersion


class Reuse(Moderated, Base):
    """One item of the gallery. `kind` is a code of `rules.REUSE_KINDS`; `url` is http(s)."""

    __tablename__ = "reuse"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(30))
    url: Mapped[str] = mapped_column(String(500))
    maker: Mapped[str] = mapped_column(String(200), default="")
    description: Mapped[str] = mapped_column(Text)

    sources: Mapped[list[ReuseSource]] = relationship(
        back_populates="reuse", cascade="all, delete-orphan", lazy="selectin"
    )


class ReuseSource(Base):
    """One data set that the item uses, in the version that was published when it was filed."""

    __tablename__ = "reuse_source"

    reuse_id: Mapped[int] = mapped_column(ForeignKey("reuse.id"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("catalogue_entry.id"), primary_key=True, index=True
    )
    version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"))

    reuse: Mapped[Reuse] = relationship(back_populates="sources")
    entry: Mapped[CatalogueEntry] = relationship(lazy="joined")
    version: Mapped[EntryVersion] = relationship(lazy="joined")


def get_reuse(session: Session, reuse_id: int) -> Reuse:
    found = session.get(Reuse, reuse_id)
    if found is None:
        raise NotFound("没有这项应用成果。")
    return found
