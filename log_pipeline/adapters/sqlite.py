"""Log lines in one SQLite file: the sink that writes them.

A batch is one transaction, each line one INSERT OR IGNORE on the document id, so that a second delivery is
answered Duplicate and nothing is stored twice. Retention deletes the oldest lines in small steps between the
batches. All statements run in one worker thread.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field

from fenghuo.clock import Clock
from fenghuo.config import Config, Seconds
from fenghuo.errors import StartError, StorageError
from fenghuo.logs import get_logger
from log_pipeline.adapters.sqlite_schema import error_code, fetch_bounded, open_writer, translated
from log_pipeline.codec.rfc3339 import to_nanoseconds
from log_pipeline.model.event import Event, Pod
from log_pipeline.model.outcome import Answer, Duplicate, Indexed, Rejected, Retry
from log_pipeline.search.text import index_text

_INSERT = """INSERT OR IGNORE INTO lines (id, time, origin, stream, level, message, offset)
VALUES (?, ?, ?, ?, ?, ?, ?)"""
_INDEX = "INSERT INTO lines_text (rowid, message) VALUES (?, ?)"
_UNINDEX = "INSERT INTO lines_text (lines_text, rowid, message) VALUES ('delete', ?, ?)"
_MERGE = "INSERT INTO lines_text (lines_text, rank) VALUES ('merge', 200)"
_FIND_ORIGIN = "SELECT rowid FROM origins WHERE path = ? AND namespace = ? AND pod = ? AND container = ? AND node = ?"
_MOST_ORIGINS = 50_000
_DAY = 86_400.0
_STEP = 2000
_EVER = 2**63 - 1
_REASONS = {"SQLITE_FULL": "disk_full", "SQLITE_BUSY": "busy", "SQLITE_READONLY": "read_only", "SQLITE_IOERR": "io"}
_NOBODY = Pod()

Result = TypeVar("Result")
Origin = tuple[str, str, str, str, str]


class SqliteConfig(Config):
    """`sink: {type: sqlite}`. The oldest lines are deleted beyond `retention`, or when more than `largest` bytes
    are in use.
    """

    type: Literal["sqlite"]
    path: Path = Path("state/logs.sqlite")
    retention: Seconds = Field(default=7 * _DAY, gt=0.0)
    largest: int = Field(default=4 << 30, ge=1 << 20)


class SqliteSink:
    """A Sink. `open` raises StartError for a file that can't be written, StorageError for what may pass."""

    def __init__(self, config: SqliteConfig, clock: Clock) -> None:
        self.path = config.path
        self._config = config
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "sqlite-sink")
        self._connection: sqlite3.Connection | None = None
        self._is_open = False
        self._identity: tuple[int, int] | None = None
        self._origins: dict[Origin, int] = {}
        self._log = get_logger("sqlite")

    async def open(self) -> None:
        await self._run(self._open)

    async def write(self, events: Sequence[Event]) -> Sequence[Answer]:
        return await self._run(self._write, events, self._clock.now())

    async def close(self) -> None:
        await self._run(self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _open(self) -> None:
        self._current()
        self._is_open = True

    def _current(self) -> sqlite3.Connection:
        """The connection to the file that has our path now.

        When it was moved away or deleted a new one is begun: SQLite would go on writing to the old one, where
        nobody finds the lines. Raises what `open_writer` does.
        """
        if self._connection is not None and _identity(self.path) == self._identity:
            return self._connection
        if self._connection is not None:
            self._log.warning("the log database was moved away or deleted, beginning a new one", path=str(self.path))
            with contextlib.suppress(sqlite3.Error):  # what is still in its journal belongs to it, wherever it is now
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._disconnect()
        self._origins.clear()
        connection = self._connection = open_writer(self.path)
        self._identity = _identity(self.path)
        self._forget_origins(connection)
        return connection

    def _close(self) -> None:
        self._is_open = False
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _forget_origins(self, connection: sqlite3.Connection) -> None:
        """Files whose lines are all gone. Only once there are many: it reads an index of all lines."""
        try:
            if connection.execute("SELECT count(*) FROM origins").fetchone()[0] > _MOST_ORIGINS:
                connection.execute("DELETE FROM origins WHERE rowid NOT IN (SELECT origin FROM lines)")
        except sqlite3.Error as error:
            self._log.warning("housekeeping put off", path=str(self.path), error=str(error))

    def _write(self, events: Sequence[Event], now: float) -> list[Answer]:
        if not self._is_open:
            return [Retry("closed") for _ in events]
        try:
            connection = self._current()
        except (StartError, StorageError) as error:
            return [Retry("database_error", str(error)) for _ in events]
        try:
            connection.execute("BEGIN IMMEDIATE")
            answers = self._insert(connection, events)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(connection)
            retry = Retry(_REASONS.get(error_code(error), "database_error"), str(translated(self.path, error)))
            return [retry for _ in events]
        self._trim(connection, now, max(_STEP, 2 * len(events)))
        return answers

    def _insert(self, connection: sqlite3.Connection, events: Sequence[Event]) -> list[Answer]:
        answers: list[Answer] = []
        words: list[tuple[int, str]] = []
        for event in events:
            moment = to_nanoseconds(event.timestamp)
            if moment is None:
                answers.append(Rejected("timestamp", f"expected an RFC 3339 time, got {event.timestamp[:60]!r}"))
                continue
            try:
                origin = self._origin(connection, event)
                line = (event.id, moment, origin, event.stream, event.level, event.message, event.offset)
                inserted = connection.execute(_INSERT, line)
            except (UnicodeEncodeError, OverflowError) as error:
                answers.append(Rejected("encoding", str(error)))
                continue
            if inserted.rowcount == 1 and inserted.lastrowid is not None:
                words.append((inserted.lastrowid, index_text(event.message)))
                answers.append(Indexed())
            else:
                answers.append(Duplicate())
        connection.executemany(_INDEX, words)
        return answers

    def _origin(self, connection: sqlite3.Connection, event: Event) -> int:
        pod = event.pod or _NOBODY
        origin = (event.path, pod.namespace, pod.name, pod.container, event.host)
        known = self._origins.get(origin)
        if known is None:
            connection.execute("INSERT OR IGNORE INTO origins VALUES (?, ?, ?, ?, ?)", origin)
            found = connection.execute(_FIND_ORIGIN, origin).fetchone()
            if len(self._origins) >= _MOST_ORIGINS:
                self._origins.clear()
            known = self._origins[origin] = int(found[0])
        return known

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        # Rows of `origins` that this transaction made are gone with it.
        self._origins.clear()
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _trim(self, connection: sqlite3.Connection, now: float, step: int) -> None:
        """One step of retention: at most `step` of the oldest lines."""
        try:
            used = _used_bytes(connection)
            until = (
                _EVER if used > self._config.largest else round(max(0.0, now - self._config.retention)) * 1_000_000_000
            )
            old = fetch_bounded(
                connection.execute(
                    "SELECT rowid, message FROM lines WHERE time < ? ORDER BY time LIMIT ?", (until, step)
                )
            )
            if not old:
                return
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_UNINDEX, [(rowid, index_text(message)) for rowid, message in old])
            connection.executemany("DELETE FROM lines WHERE rowid = ?", [(rowid,) for rowid, _ in old])
            connection.execute(_MERGE)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(connection)
            self._log.warning("retention put off", path=str(self.path), error=str(error))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes in use: pages that deletions have freed are filled again before the file grows."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
