from __future__ import annotations

from pathlib import Path

import pytest

from portal.storage import LocalStorage
from portal.tables.cache import TableCache
from portal.tables.reader import read_table
from portal.tables.store import build_table

FILES = Path(__file__).parent / "files"


@pytest.fixture
def files():
    return FILES


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "store")


@pytest.fixture
def cache(tmp_path, storage):
    cache = TableCache(tmp_path / "native", storage)
    yield cache
    cache.close()


@pytest.fixture
def build(tmp_path, storage):
    """Return a function that makes a stored table of CSV text, or of a file."""

    def build_one(source, *, filename="table.csv", names=None, **options):
        if isinstance(source, str):
            path = tmp_path / filename
            path.write_text(source, encoding="utf-8", newline="")
        else:
            path = source
        with read_table(path, filename=path.name, **options) as parsed:
            return build_table(parsed, storage, names=names)

    return build_one
