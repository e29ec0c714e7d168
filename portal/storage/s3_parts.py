"""Parts of uploads in a bucket: an object a part, below `<prefix>incoming/<name>/`.

Not one of S3's multipart uploads: those refuse parts below 5 MiB, which a broken connection leaves,
and need the key, which is the hash of what has not arrived yet. Any web process may write the next
part; the whole is put together, hashed and sent to its place (in multipart) by a worker.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from portal.storage.base import StorageUnavailable
from portal.storage.hashing import PIECE_BYTES
from portal.storage.parts import checked_name

Translated = Callable[..., AbstractContextManager[None]]


class S3Parts:
    """`translated` turns boto3's errors into the store's."""

    def __init__(
        self, client: Any, bucket: str, prefix: str, working: Path, translated: Translated
    ) -> None:
        self._client, self._bucket = client, bucket
        self._prefix = f"{prefix}incoming/"
        self._working, self._translated = working, translated

    def reserve(self, name: str, size_bytes: int) -> None:
        """A bucket has no size."""
        checked_name(name)

    @contextlib.contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Writers of one upload never meet: each part has a name of its own."""
        yield

    def write(self, name: str, offset: int, data: bytes, token: str) -> str:
        part = f"{offset:020d}-{checked_name(token)}"
        with self._translated(name, missing_is_failure=True):
            self._client.put_object(Bucket=self._bucket, Key=self._key(name, part), Body=data)
        return part

    def discard(self, name: str, parts: Sequence[str]) -> None:
        with self._translated(name, missing_is_failure=True):
            for part in parts:
                self._client.delete_object(Bucket=self._bucket, Key=self._key(name, part))

    @contextlib.contextmanager
    def whole(self, name: str, parts: Sequence[str], size_bytes: int) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._working) as folder:
            path = Path(folder) / name
            size = 0
            with path.open("wb") as target:
                for part in parts:
                    size += self._copy(self._key(name, part), target)
            if size != size_bytes:
                raise StorageUnavailable(f"{name}: {size} bytes of {size_bytes}")
            yield path

    def _copy(self, key: str, target: Any) -> int:
        size = 0
        with self._translated(key, missing_is_failure=True):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            with contextlib.closing(answer["Body"]) as body:
                while piece := body.read(PIECE_BYTES):
                    target.write(piece)
                    size += len(piece)
        return size

    def remove(self, name: str) -> None:
        with self._translated(name, missing_is_failure=True):
            for page in self._pages(f"{self._prefix}{checked_name(name)}/"):
                for found in page.get("Contents", ()):
                    self._client.delete_object(Bucket=self._bucket, Key=found["Key"])

    def list(self) -> Iterator[tuple[str, float]]:
        newest: dict[str, float] = {}
        with self._translated(self._prefix, missing_is_failure=True):
            for page in self._pages(self._prefix):
                for found in page.get("Contents", ()):
                    name, _, part = found["Key"].removeprefix(self._prefix).partition("/")
                    if not part:  # some servers list emptied folders for a while
                        continue
                    at = found["LastModified"].timestamp()
                    newest[name] = max(at, newest.get(name, 0.0))
        yield from newest.items()

    def _pages(self, prefix: str) -> Any:
        paginator = self._client.get_paginator("list_objects_v2")
        return paginator.paginate(Bucket=self._bucket, Prefix=prefix)

    def _key(self, name: str, part: str) -> str:
        return f"{self._prefix}{checked_name(name)}/{part}"
