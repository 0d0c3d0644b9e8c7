"""Searching the SQLite store: read-only, while the pipeline writes and when it is down.

Each search opens the file anew, so that a database that is made, moved or replaced later is simply found, and a
search that takes too long is ended from inside SQLite.
"""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from fenghuo.clock import Clock, SystemClock
from fenghuo.errors import StartError
from log_pipeline.adapters.sqlite_schema import LARGEST_FETCH, check_schema, fetch_bounded, translated
from log_pipeline.codec.rfc3339 import from_nanoseconds
from log_pipeline.search.find import COUNTED, Found, FoundLine, Search, SearchTooSlow
from log_pipeline.search.sql import Where, where

_COLUMNS = """lines.time, lines.message, origins.namespace, origins.pod, origins.container, origins.node,
lines.stream, lines.level, origins.path, lines.offset"""
_LONGEST = 2**63 - 1


class SqliteSearcher:
    """A Searcher. `deadline` is how many seconds a search may take."""

    def __init__(self, path: Path, deadline: float = 10.0, clock: Clock | None = None) -> None:
        self.path = path
        self._deadline = deadline
        self._clock = clock or SystemClock()
        self._closed = False

    async def search(self, search: Search) -> Found:
        return await asyncio.to_thread(self._search, search)

    async def close(self) -> None:
        """Nothing is kept open; a search that is under way is given up."""
        self._closed = True

    def _search(self, search: Search) -> Found:
        try:
            is_there = self.path.exists()
        except OSError as error:
            cause = f"the log database {self.path} can't be read: {error.strerror}"
            raise StartError(cause, "let this user read it, or name another by --db") from error
        if not is_there:
            raise StartError(
                f"there is no log database at {self.path}",
                "start `fenghuo up` or `fenghuo logs run`, or name it by --db",
            )
        try:
            with contextlib.closing(self._connect()) as connection:
                check_schema(connection, self.path)
                return self._find(connection, search)
        except sqlite3.Error as error:
            if str(error) == "interrupted":
                raise SearchTooSlow(self._deadline) from error
            raise translated(self.path, error) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True, timeout=2.0)
        end = self._clock.monotonic() + self._deadline
        connection.set_progress_handler(lambda: self._closed or self._clock.monotonic() > end, 5_000)
        return connection

    def _find(self, connection: sqlite3.Connection, search: Search) -> Found:
        condition = where(search.query)
        span = (_nanoseconds(search.since, -_LONGEST), _nanoseconds(search.until, _LONGEST))
        source = f"lines {_plan(connection, condition)}"
        matching = f"lines.time >= ? AND lines.time < ? AND {condition.sql}"
        found = connection.execute(
            f"SELECT {_COLUMNS} FROM {source} CROSS JOIN origins ON origins.rowid = lines.origin "  # noqa: S608 - no text of a user's is in it
            f"WHERE {matching} ORDER BY lines.time DESC, lines.rowid DESC LIMIT ?",
            [*span, *condition.parameters, search.limit],
        )
        rows = fetch_bounded(found)
        total = len(rows)
        if total >= search.limit or sum(len(row[1]) for row in rows) >= LARGEST_FETCH:
            counted = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {matching} LIMIT ?)"  # noqa: S608 - as above
            total = connection.execute(counted, [*span, *condition.parameters, COUNTED]).fetchone()[0]
        return Found(tuple(_line(row) for row in rows), max(total, len(rows)), total < COUNTED)


def _plan(connection: sqlite3.Connection, condition: Where) -> str:
    """How SQLite shall walk: back in time until there are enough lines, unless the words are rare.

    Rare words are looked up and sorted, which costs 2 us a match; the walk costs 0.1 us a line that is passed,
    and ends early when matches are frequent. SQLite's planner can't know how frequent a word is.
    """
    if condition.words is not None:
        matches = "SELECT count(*) FROM (SELECT 1 FROM lines_text WHERE lines_text MATCH ? LIMIT ?)"
        if connection.execute(matches, (condition.words, COUNTED)).fetchone()[0] < COUNTED:
            return ""
    return "INDEXED BY lines_time"


def _nanoseconds(seconds: float | None, default: int) -> int:
    if seconds is None:
        return default
    return max(-_LONGEST, min(_LONGEST, round(seconds * 1e6) * 1000))


def _line(row: tuple[int, str, str, str, str, str, str, str, str, int | None]) -> FoundLine:
    return FoundLine(from_nanoseconds(row[0]), *row[1:])
