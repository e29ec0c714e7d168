"""Where file contents live: a folder or an S3 bucket, by one URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from portal.storage.base import ObjectMissing, Storage, StorageUnavailable, StoredObject
from portal.storage.local import LocalStorage

__all__ = [
    "LocalStorage",
    "ObjectMissing",
    "Storage",
    "StorageUnavailable",
    "StoredObject",
    "open_storage",
]


def open_storage(url: str, *, endpoint_url: str = "", cache_folder: Path) -> Storage:
    """Return the store that a setting names; S3 is not contacted before the first use.

    Args:
        url: `file:///absolute/folder` or `s3://bucket[/prefix]`.
        endpoint_url: of an S3 server other than Amazon's.
        cache_folder: for S3, local copies and uploads in progress.

    Raises:
        ValueError: the URL is neither, or names no folder or bucket.
        StorageUnavailable: the folder cannot be made.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path not in ("", "/"):
        return LocalStorage(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        # Imported here: who stores in a folder does not pay for boto3's memory.
        from portal.storage.s3 import S3Storage

        return S3Storage(
            parts.netloc,
            prefix=unquote(parts.path),
            endpoint_url=endpoint_url,
            cache_folder=cache_folder,
        )
    raise ValueError(f"storage URL {url!r} is neither file:///folder nor s3://bucket[/prefix]")
