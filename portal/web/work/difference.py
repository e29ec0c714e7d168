"""What differs between two contents, field by field, and item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext

from portal.rules.entry_content import EntryContent, InformationItem, LegalBasis
from portal.rules.metadata_profile import BASIS_KINDS
from portal.web.presentation import day
from portal.web.work.entry_fields import FIELDS, ITEM_LABELS, Field, item_choices

CODED = ("data_type", "personal", "masking", "share_type")


@dataclass(frozen=True)
class FieldChange:
    """One field in words: `before` and `after` are lists of lines to show."""

    name: str
    label: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class ItemChange:
    """`kind`: added, removed or changed; `parts` are the changed attributes in words."""

    kind: str
    name: str
    parts: tuple[FieldChange, ...] = ()
    field_name: str = ""


@dataclass(frozen=True)
class Difference:
    fields: tuple[FieldChange, ...]
    items: tuple[ItemChange, ...]

    def __bool__(self) -> bool:
        return bool(self.fields or self.items)


def difference(before: EntryContent, after: EntryContent) -> Difference:
    """Return what changed from one content to the other, in the order of the form."""
    fields = tuple(
        FieldChange(
            name,
            gettext(field.label),
            words(field, getattr(before, name)),
            words(field, getattr(after, name)),
        )
        for name, field in FIELDS.items()
        if field.control != "items" and getattr(before, name) != getattr(after, name)
    )
    return Difference(fields, tuple(_items(before.items, after.items)))


def words(field: Field, value: Any) -> tuple[str, ...]:
    """Return a field's value as lines of text that a person reads."""
    if field.control == "bases":
        return tuple(basis_words(basis) for basis in value)
    if isinstance(value, tuple):
        names = field.choices()
        shown = [names.get(v, v) for v in value]
        return (
            tuple(shown)
            if field.control == "lines"
            else tuple(filter(None, [gettext("、").join(shown)]))
        )
    if isinstance(value, date):
        return (day(value),)
    if not value:
        return ()
    return (field.choices().get(value, str(value)),)


def basis_words(basis: LegalBasis) -> str:
    head = gettext(BASIS_KINDS.get(basis.kind, basis.kind))
    title = f"《{basis.title}》" if basis.title else ""
    number = f"（{basis.document_number}）" if basis.document_number else ""
    quote = f"：{basis.quote}" if basis.quote else ""
    return f"{head} {title}{number}{basis.article}{quote}".strip()


def _items(before: Sequence[InformationItem], after: Sequence[InformationItem]) -> list[ItemChange]:
    """Match items by field name, then by name."""
    old = {item.field_name or item.name: item for item in before}
    new = {item.field_name or item.name: item for item in after}
    changes = []
    for key, item in new.items():
        if key not in old:
            changes.append(ItemChange("added", item.name or key, (), item.field_name))
        elif parts := _parts(old[key], item):
            changes.append(ItemChange("changed", item.name or key, parts, item.field_name))
    changes += [
        ItemChange("removed", item.name or key, (), item.field_name)
        for key, item in old.items()
        if key not in new
    ]
    return changes


def _parts(before: InformationItem, after: InformationItem) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(
            name,
            gettext(label),
            (item_words(name, getattr(before, name)),),
            (item_words(name, getattr(after, name)),),
        )
        for name, label in ITEM_LABELS.items()
        if name != "order" and getattr(before, name) != getattr(after, name)
    )


def item_words(name: str, value: Any) -> str:
    """Return one attribute of an information item in words."""
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    names: Mapping[str, str] = item_choices(name) if name in CODED else {}
    return names.get(value, "" if value is None else str(value)) or gettext("（空）")
