"""Native DuckDB files derived from the Parquet, in a bounded local folder, and the one instance.

One locked in-memory root instance a process; the files are attached to it read-only, so that all
tables together keep to one memory limit. A cursor a thread. Only SQL made by this package runs on
it; users' own SQL belongs in a child process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from portal.storage.base import Storage
from portal.storage.file_cache import FileCache
from portal.tables.info import TableInfo

LAYOUT = 1  # part of the file name: a new layout never meets an old file
MAX_ATTACHED = 64
BUILD_MEMORY_LIMIT = "256MB"
MAX_SPILL = "4GB"  # on disk, for sorts that exceed the memory limit


@dataclass
class _Attached:
    file_name: str
    users: int = 0


class NativeTables:
    """Makes, attaches, detaches and evicts the files; thread-safe."""

    def __init__(
        self, folder: Path, storage: Storage, *, max_bytes: int, memory_limit: str, threads: int
    ) -> None:
        self._storage = storage
        self._files = FileCache(Path(folder).absolute(), max_bytes)
        self._memory_limit, self._threads = memory_limit, threads
        self._lock = threading.RLock()
        self._root: duckdb.DuckDBPyConnection | None = None
        self._root_pid = 0
        self._attached: OrderedDict[str, _Attached] = OrderedDict()
        self._local = threading.local()

    def thread_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return the calling thread's cursor; its next statement ends the last one."""
        root = self._instance()
        if getattr(self._local, "root", None) is not root:
            self._local.root, self._local.cursor = root, root.cursor()
        cursor: duckdb.DuckDBPyConnection = self._local.cursor
        return cursor

    def new_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor for a statement that lives longer than a call. Close it."""
        return self._instance().cursor()

    def is_ready(self, info: TableInfo) -> bool:
        """Whether the native file is there, so that no query has to wait for its making."""
        return (self._files.folder / self._file_name(info)).exists()

    def parquet_path(self, info: TableInfo) -> Path:
        return Path(self._storage.local_path(info.parquet_sha256))

    def _file_name(self, info: TableInfo) -> str:
        return f"{info.parquet_sha256}.{LAYOUT}.duckdb"

    @contextlib.contextmanager
    def use(self, info: TableInfo) -> Iterator[str]:
        """Hold a table attached while the block runs; yield its SQL name."""
        name = f"t_{info.parquet_sha256}"
        file_name = self._file_name(info)
        self._files.get(file_name, lambda made: self._build(info, made))
        try:
            attached = self._attach(name, file_name)
        except duckdb.Error:  # a file that a power cut left broken: it can be made again
            self._files.remove(file_name)
            self._files.get(file_name, lambda made: self._build(info, made))
            attached = self._attach(name, file_name)
        try:
            yield f"{name}.main.rows"
        finally:
            with self._lock:
                attached.users -= 1

    def _attach(self, name: str, file_name: str) -> _Attached:
        """Attach a native file unless it is attached already, and count one user more."""
        with self._lock:
            root = self._instance()
            attached = self._attached.get(name)
            if attached is None:
                self._detach_unused()
                path = _literal(str(self._files.folder / file_name))
                root.execute(f"ATTACH {path} AS {name} (READ_ONLY)")
                attached = self._attached[name] = _Attached(file_name)
            self._attached.move_to_end(name)
            attached.users += 1
            return attached

    def _detach_unused(self) -> None:
        """Detach tables whose file was evicted (its space is free only then), and the oldest."""
        root = self._instance()
        too_many = len(self._attached) - MAX_ATTACHED + 1
        for name, attached in list(self._attached.items()):
            gone = not (self._files.folder / attached.file_name).exists()
            if not attached.users and (gone or too_many > 0):
                root.execute(f"DETACH {name}")
                del self._attached[name]
                too_many -= 1

    def _build(self, info: TableInfo, path: Path) -> None:
        source = self._storage.local_path(info.parquet_sha256)
        connection = duckdb.connect(
            str(path),
            config={
                "memory_limit": BUILD_MEMORY_LIMIT,
                "threads": self._threads,
                "temp_directory": str(path.parent / "spill"),
            },
        )
        try:
            connection.read_parquet(source).create("rows")
            for field_name in info.key_fields:
                connection.execute(f'CREATE INDEX "key_{field_name}" ON rows ("{field_name}")')
            connection.execute("CHECKPOINT")
        finally:
            connection.close()

    def close(self) -> None:
        """Close this process's instance; the files stay."""
        with self._lock:
            if self._root is not None and self._root_pid == os.getpid():
                self._root.close()
            self._root = None
            self._attached.clear()
            self._local = threading.local()

    def _instance(self) -> duckdb.DuckDBPyConnection:
        """Return this process's root, made at first use: never carried over a fork."""
        with self._lock:
            if self._root is None or self._root_pid != os.getpid():
                self._attached.clear()
                self._root, self._root_pid = self._open_root(), os.getpid()
            return self._root

    def _open_root(self) -> duckdb.DuckDBPyConnection:
        spill = self._files.folder / ".spill" / str(os.getpid())
        _remove_of_dead_processes(spill.parent)
        spill.mkdir(parents=True, exist_ok=True)
        root = duckdb.connect(
            ":memory:", config={"memory_limit": self._memory_limit, "threads": self._threads}
        )
        root.execute(f"SET temp_directory = {_literal(str(spill))}")
        root.execute(f"SET max_temp_directory_size = '{MAX_SPILL}'")
        root.execute(f"SET allowed_directories = [{_literal(str(self._files.folder) + '/')}]")
        root.execute("SET enable_external_access = false")
        root.execute("SET lock_configuration = true")
        return root


def _remove_of_dead_processes(folder: Path) -> None:
    """Remove the spill folders that killed processes left."""
    for path in folder.glob("[0-9]*"):
        try:
            os.kill(int(path.name), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except PermissionError:
            continue  # alive, another user's


def _literal(text: str) -> str:
    """Quote a path of our own for a statement that takes no parameter."""
    return "'" + text.replace("'", "''") + "'"
