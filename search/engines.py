"""The one place that chooses an engine."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from search.elasticsearch_layout import IndexLayout
from search.engine import SearchEngine
from search.tantivy_engine import TantivyEngine

DEFAULT_INDEX = "xiangyun"
_INDEX = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")


def open_engine(
    url: str,
    folder: Path,
    *,
    index: str = DEFAULT_INDEX,
    layout: IndexLayout = IndexLayout(),
) -> SearchEngine:
    """Return the engine of the setting `SEARCH_URL`. Nothing is connected to or created yet.

    Args:
        url: empty for the embedded engine; `http://host:9200` or `https://user:secret@host`
            for Elasticsearch, where `?index=name` overrides `index`; several nodes of one cluster
            separated by commas (`http://a:9200,http://b:9200?index=name`).
        folder: where the embedded engine keeps its files.
        index: the alias on Elasticsearch; each portal on a cluster needs its own.
        layout: how the index lies on the cluster; the embedded engine needs none.

    Raises:
        ValueError: the URL has another scheme, or the index name is not one.
    """
    if not url:
        return TantivyEngine(folder)
    hosts = [each.strip() for each in url.split(",") if each.strip()]
    nodes = [urlsplit(host) for host in hosts]
    if not nodes or any(n.scheme not in ("http", "https") or not n.hostname for n in nodes):
        raise ValueError("SEARCH_URL must be empty or addresses that begin with http(s)://")
    named = [name for node in nodes for name in parse_qs(node.query).get("index", [])]
    name = named[-1] if named else index
    if not _INDEX.fullmatch(name):
        raise ValueError(f"index name {name!r}: use a-z, 0-9, _ . -")
    # Imported here: who searches in the folder does not pay for the client.
    from search.elasticsearch_engine import ElasticsearchEngine

    addresses = [_with_port(urlunsplit(n._replace(query="", fragment=""))) for n in nodes]
    return ElasticsearchEngine(addresses, name, layout)


def _with_port(url: str) -> str:
    """Return the URL with its port spelt out, as the client wants it."""
    parts = urlsplit(url)
    if parts.port is not None:
        return url
    port = 443 if parts.scheme == "https" else 9200
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))
