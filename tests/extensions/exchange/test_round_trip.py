"""A dump loaded into an empty instance gives the same dump, but for what the server itself sets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from extensions.exchange.dumps.making import make_dump
from portal.jobs.worker import Worker
from portal.platform import Platform
from portal.services.loading import PackageLoader
from tests.portal.web.conftest import Site

SET_BY_THE_SERVER = {
    "extras.jl_metadata_profile": "a record that was brought in keeps the rules of foreign records",
    "resources.datastore_active": "the table stays where the file is; the copy links to it",
}
"""Fields that may differ, each with the reason."""


def records(folder: Path) -> list[dict[str, Any]]:
    lines = gzip.decompress((folder / "catalogue.jsonl.gz").read_bytes()).splitlines()
    return [json.loads(line) for line in lines]


def differences(one: Any, other: Any, path: str = "") -> set[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = {*one, *other}
        return {
            found
            for key in keys
            for found in differences(one.get(key), other.get(key), f"{path}.{key}".strip("."))
        }
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        if one and isinstance(one[0], dict) and "key" in one[0]:
            return differences(
                {e["key"]: e["value"] for e in one}, {e["key"]: e["value"] for e in other}, path
            )
        return {f for a, b in zip(one, other, strict=True) for f in differences(a, b, path)}
    return set() if one == other else {f"{path}"}


def test_dump_load_dump(site: Site, make_platform: Callable[..., Platform], tmp_path: Path) -> None:
    site.opened(title="往返甲", contact_phone="0431-12345678")
    site.conditional(title="往返乙")
    make_dump(site.platform, folder=tmp_path / "first")
    other = make_platform("sqlite", name="other")
    loader = PackageLoader(other.database, other.clock, source="dump", reason="往返")
    lines = gzip.decompress((tmp_path / "first" / "catalogue.jsonl.gz").read_bytes()).splitlines()
    reports = list(loader.load(iter(lines)))
    assert not reports[-1].errors
    Worker(other).run_until_idle()
    make_dump(other, folder=tmp_path / "second")
    first, second = records(tmp_path / "first"), records(tmp_path / "second")
    found: set[str] = set()
    for one, again in zip(first, second, strict=True):
        found |= differences(one, again)
    assert found == set(SET_BY_THE_SERVER)
