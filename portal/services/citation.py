"""How to cite a data set: GB/T 7714-2015 and BibTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Cited:
    """What a citation is made of. `key` is a BibTeX key; dates are local."""

    key: str
    author: str
    title: str
    version: int
    platform: str
    published_on: date
    url: str


def gb7714(cited: Cited, read_on: date) -> str:
    """Return the reference of an electronic data set ([DS/OL]). Source: GB/T 7714-2015, 4.8."""
    return (
        f"{cited.author}. {cited.title}: 第{cited.version}版[DS/OL]. {cited.platform}, "
        f"{cited.published_on.isoformat()}[{read_on.isoformat()}]. {cited.url}."
    )


_SPECIAL = re.compile(r"[\\{}$&#_%~^]")
_ESCAPES = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda m: _ESCAPES.get(m.group(), "\\" + m.group()), text)


def bibtex(cited: Cited, read_on: date) -> str:
    """Return an entry of biblatex's type `dataset`; plain BibTeX reads it as `misc`."""
    fields = {
        "author": f"{{{_escaped(cited.author)}}}",
        "title": f"{{{_escaped(cited.title)}}}",
        "version": str(cited.version),
        "publisher": _escaped(cited.platform),
        "date": cited.published_on.isoformat(),
        "year": str(cited.published_on.year),
        "url": cited.url,
        "urldate": read_on.isoformat(),
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@dataset{{{re.sub(r'[^A-Za-z0-9-]', '-', cited.key)},\n{lines}\n}}"
