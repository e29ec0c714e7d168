"""The commands of `xiangyun`, one subject a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from portal.platform import Platform, open_platform
from portal.settings import read_settings


@contextmanager
def opened_platform() -> Iterator[Platform]:
    """Open the platform of the environment's settings for one command."""
    platform = open_platform(read_settings())
    try:
        yield platform
    finally:
        platform.close()
