"""What the scan says of a table: plain values that go into the database as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from extensions.quality.scan.kinds import KINDS

STAR = "*"


@dataclass(frozen=True)
class Finding:
    """One kind of content in one column.

    count: cells; share: of the cells that are not blank, 0 to 1; examples: masked, never the values
    themselves; by: `values`, `name` (the column is called so), `header` (the name itself holds it);
    sensitive: the scan's own judgement; blocks: what is left of it by the entry's items.
    """

    field_name: str
    column: str
    kind: str
    count: int
    share: float
    examples: tuple[str, ...] = ()
    by: str = "values"
    blocks: bool = True
    sensitive: bool = True

    @property
    def label(self) -> str:
        return KINDS[self.kind].label


@dataclass(frozen=True)
class Looked:
    """Everything one pass over a table found. content_hash: equal for equal columns and rows."""

    findings: tuple[Finding, ...] = ()
    row_count: int = 0
    duplicate_rows: int = 0
    content_hash: str = ""

    @property
    def blocks(self) -> bool:
        return any(finding.blocks for finding in self.findings)

    def as_list(self) -> list[dict[str, Any]]:
        return [
            {**asdict(f), "examples": list(f.examples), "sensitive": f.blocks}
            for f in self.findings
        ]


@dataclass(frozen=True)
class ColumnFindings:
    """The findings of one column together, as a reviewer decides on them."""

    field_name: str
    column: str
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    @property
    def blocks(self) -> bool:
        return any(finding.blocks for finding in self.findings)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.kind for finding in self.findings))

    @property
    def in_header(self) -> bool:
        """The name itself is sensitive: a mask of the values would not help."""
        return any(finding.by == "header" for finding in self.findings)

    @classmethod
    def gather(cls, findings: list[dict[str, Any]]) -> tuple[Self, ...]:
        """Return the findings of each column, in the order of the table."""
        columns: dict[str, list[Finding]] = {}
        for values in findings:
            one = finding_of(values)
            columns.setdefault(one.field_name, []).append(one)
        return tuple(cls(name, found[0].column, tuple(found)) for name, found in columns.items())


def finding_of(values: Mapping[str, Any]) -> Finding:
    return Finding(**{**values, "examples": tuple(values["examples"])})


def _ends(first: int, last: int) -> Callable[[str], str]:
    def mask(text: str) -> str:
        if len(text) <= first + last + 1:
            return text[:1] + STAR * (len(text) - 1)
        return text[:first] + STAR * (len(text) - first - last) + text[len(text) - last :]

    return mask


def _email(text: str) -> str:
    return "***@" + text.rsplit("@", 1)[-1]


def _address(text: str) -> str:
    return "".join(STAR if sign.isdigit() else sign for sign in text)


def _rest_hidden(text: str) -> str:
    return text[:1] + STAR * max(0, len(text) - 1)


_EXAMPLES: Mapping[str, Callable[[str], str]] = {
    "id_number": _ends(3, 2),
    "old_id_number": _ends(3, 2),
    "uscc": _ends(4, 2),
    "mobile": _ends(3, 2),
    "bank_card": _ends(4, 2),
    "landline": _ends(4, 1),
    "email": _email,
    "plate": _ends(2, 1),
    "address": _address,
    "house": _address,
}


def masked_example(kind: str, text: str) -> str:
    """Return the value so that it can be recognised by who has the file, and by nobody else."""
    return _EXAMPLES.get(kind, _rest_hidden)(text[:60])
