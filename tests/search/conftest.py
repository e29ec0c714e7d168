"""Both engines, each test with an index of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from search.engine import SearchEngine
from search.engines import open_engine

ENGINES = ["tantivy", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchEngine]:
    """An empty engine of each kind."""
    if request.param == "tantivy":
        url, index = "", "unused"
    else:
        url = request.getfixturevalue("elasticsearch_url")
        index = request.getfixturevalue("elasticsearch_prefix")
    with closing(open_engine(url, tmp_path / "index", index=index)) as opened:
        yield opened
