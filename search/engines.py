"""The one place that chooses an engine."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from search.engine import SearchEngine
from search.tantivy_engine import TantivyEngine

DEFAULT_INDEX = "xiangyun"
_INDEX = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")


def open_engine(url: str, folder: Path, *, index: str = DEFAULT_INDEX) -> SearchEngine:
    """Return the engine of the setting `SEARCH_URL`. Nothing is connected to or created yet.

    Args:
        url: empty for the embedded engine; `http://host:9200` or `https://user:secret@host`
            for Elasticsearch, where `?index=name` overrides `index`.
        folder: where the embedded engine keeps its files.
        index: the alias on Elasticsearch; each portal on a cluster needs its own.

    Raises:
        ValueError: the URL has another scheme, or the index name is not one.
    """
    if not url:
        return TantivyEngine(folder)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("SEARCH_URL must be empty or begin with http:// or https://")
    name = parse_qs(parts.query).get("index", [index])[0]
    if not _INDEX.fullmatch(name):
        raise ValueError(f"index name {name!r}: use a-z, 0-9, _ . -")
    # Imported here: who searches in the folder does not pay for the client.
    from search.elasticsearch_engine import ElasticsearchEngine

    return ElasticsearchEngine(_with_port(urlunsplit(parts._replace(query="", fragment=""))), name)


def _with_port(url: str) -> str:
    """Return the URL with its port spelt out, as the client wants it."""
    parts = urlsplit(url)
    if parts.port is not None:
        return url
    port = 443 if parts.scheme == "https" else 9200
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))
