"""Where reading of each file goes on after a restart, durably: a small SQLite file.

A row a file, keyed by device and inode. Only rows that changed are written, and a write is on the disk when
`save` returns. A row outlives its file by a week, so that an inode used again is known for what it is.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fenghuo.errors import StartError, StorageError
from log_pipeline.adapters.sqlite_schema import error_code

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    device INTEGER NOT NULL, inode INTEGER NOT NULL, generation INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    offset INTEGER NOT NULL, anchor TEXT NOT NULL, path TEXT NOT NULL, real_path TEXT NOT NULL,
    done INTEGER NOT NULL, seen REAL NOT NULL, PRIMARY KEY (device, inode)
) WITHOUT ROWID
"""
_SAVE = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class FileKey(NamedTuple):
    """What a file is to the kernel, whatever it is called."""

    device: int
    inode: int


class Mark(NamedTuple):
    """What is remembered of a file.

    `generation` counts the files that this inode has been; `fingerprint` is a hash of the first line; reading
    goes on at byte `offset`, and `anchor` is a hash of the bytes just before it ("" when not known). `path` is
    the name by which it was found, `real_path` where that led. `done`: read to its end and gone from its path.
    `seen` is the Unix time of the last change.
    """

    device: int
    inode: int
    generation: int
    fingerprint: str
    offset: int
    anchor: str
    path: str
    real_path: str
    done: bool
    seen: float

    @property
    def key(self) -> FileKey:
        return FileKey(self.device, self.inode)


class Positions:
    """The marks on disk. Every method blocks, and raises StorageError naming the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Make the file when it is not there. Raises StartError when it is no database, or a broken one."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._connection is None:
                self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, sqlite3.Error) and error_code(error) in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
                remedy = "move it away; the files are read again, and lines that are stored already are recognised"
                raise StartError(f"the positions file {self.path}: {error}", remedy) from error
            raise self._failed(error) from error

    def load(self) -> dict[FileKey, Mark]:
        """All marks."""
        try:
            rows = self._open_connection().execute("SELECT * FROM files").fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error
        marks = (Mark._make((*row[:8], bool(row[8]), row[9])) for row in rows)
        return {mark.key: mark for mark in marks}

    def save(self, marks: Iterable[Mark]) -> None:
        """Store these marks, all or none."""
        self._change(_SAVE, marks)

    def forget(self, keys: Iterable[FileKey]) -> None:
        """Remove the marks of these files."""
        self._change("DELETE FROM files WHERE device = ? AND inode = ?", keys)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _change(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        connection = self._open_connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, rows)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise self._failed(error) from error

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError(f"the positions file {self.path} is closed")
        return self._connection

    def _failed(self, error: Exception) -> StorageError:
        return StorageError(f"the positions file {self.path}: {error}")
