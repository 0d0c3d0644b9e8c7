"""Many small writes, one transaction: what is asked for while a transaction runs goes into the next one together.

Each commit waits for the disk; two thousand groups flushed in one second must not wait two thousand times.
"""

import asyncio
import sqlite3
from collections.abc import Callable

from alerting.storage.database import Database

Write = Callable[[sqlite3.Connection], None]
Then = Callable[[], None]


def _nothing() -> None:
    """What follows a write unless its caller says otherwise."""


class GroupCommit:
    """A queue of writes in front of a database; the order of the writes is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Write, Then, asyncio.Future[None]]] = []
        self._running: asyncio.Task[None] | None = None

    async def write(self, work: Write, then: Then = _nothing) -> None:
        """Have `work(connection)` done; returns when it is committed and `then()` has been called.

        `then` brings the memory up to date; it is called in the order of the commits, also when the caller has
        been cancelled meanwhile. Raises what the transaction raised, mostly StorageError; then none of the
        writes that shared it was done.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, then, done))
        if self._running is None:
            self._running = asyncio.ensure_future(self._drain())
        await done

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error = await self._commit([work for work, _, _ in batch])
            for _, then, done in batch:
                _answer(done, error or _followed(then))
        self._running = None

    async def _commit(self, works: list[Write]) -> Exception | None:
        def all_of_them(connection: sqlite3.Connection) -> None:
            for work in works:
                work(connection)

        try:
            await self._database.run(all_of_them)
        except Exception as error:  # noqa: BLE001 - it belongs to the callers, who get it
            return error
        return None


def _followed(then: Then) -> Exception | None:
    """What a follow-up raised: its caller's to know, and no reason to leave the later writes waiting for ever."""
    try:
        then()
    except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it
        return error
    return None


def _answer(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.cancelled():
        return  # its caller has given up; what was asked for is done all the same
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
