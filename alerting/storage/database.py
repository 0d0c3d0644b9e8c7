"""One SQLite file for all that the alert engine keeps: opening, migrations, transactions, one worker thread.

The stores of rule state, alerts and notifications share the file and this class, each with its own tables and
its own list of migrations. It knows no table but `schema_versions`.

WAL with `synchronous=FULL`: a commit is on the disk when `run` returns, so neither `kill -9` nor a power cut
takes back what was said. One transaction costs one flush; callers write once an evaluation, not once a row.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from fenghuo.errors import StartError, StorageError

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a transaction waits for another process (a backup, a look with `sqlite3`) to let go of the file."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of one owner's tables. Steps of a `name` run in order of `version`, each once, for ever.

    `sql` is one or more statements. A step that has been released is never changed; a new one is added.
    """

    name: str
    version: int
    sql: str


class Database:
    """An open file. All work runs in one thread, one transaction at a time, in the order it was asked for.

        database = await Database.open(folder / "alerting.sqlite", [*STATE_MIGRATIONS, *ALERT_MIGRATIONS])
        rows = await database.run(lambda connection: connection.execute("SELECT …").fetchall())

    Rows are `sqlite3.Row`, so columns have names.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, worker: ThreadPoolExecutor) -> None:
        self.path = path
        self._connection = connection
        self._worker = worker

    @classmethod
    async def open(cls, path: Path, migrations: Sequence[Migration]) -> Self:
        """Open or create the file and bring its tables up to date.

        Raises StartError naming the path when the folder can't be written, the disk is full, the file is no
        database, or it was written by a newer version.
        """
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alerting-sqlite")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(worker, _open, path, migrations)
        except BaseException:
            worker.shutdown(wait=False)
            raise
        return cls(path, connection, worker)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work(connection)` in the worker thread, in one transaction; commit before returning.

        An exception of `work` rolls everything back. Raises StorageError naming the path when SQLite fails:
        a full disk, a folder turned read-only, a damaged file.
        """
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._transact, work)

    async def close(self) -> None:
        """Wait for the work already asked for, then close; a second close does nothing."""
        await asyncio.get_running_loop().run_in_executor(None, self._shut)

    def _shut(self) -> None:
        self._worker.shutdown(wait=True)
        self._connection.close()

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                # a full disk may have rolled back already
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StorageError(f"{self.path}: {error}") from error
        return result


def _open(path: Path, migrations: Sequence[Migration]) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise _cannot(path, error) from error
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        _migrate(connection, path, migrations)
    except sqlite3.Error as error:
        connection.close()
        raise _cannot(path, error) from error
    except StartError:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Run the steps that the file has not seen, all or none."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL)")
    found: dict[str, int] = {
        row["name"]: row["version"] for row in connection.execute("SELECT name, version FROM schema_versions")
    }
    for name in {step.name for step in migrations}:
        newest = max(step.version for step in migrations if step.name == name)
        if found.get(name, 0) > newest:
            raise StartError(
                f"{path} was written by a newer version ({name} has schema {found[name]}, known up to {newest})",
                "run the newer version, or choose another --storage.path",
            )
    for step in sorted(migrations, key=lambda step: step.version):
        if step.version > found.get(step.name, 0):
            _statements(connection, step.sql)
            connection.execute(
                "INSERT INTO schema_versions VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                (step.name, step.version),
            )
    connection.execute("COMMIT")


def _statements(connection: sqlite3.Connection, sql: str) -> None:
    """Run statement by statement: `executescript` would commit the open transaction first."""
    waiting = ""
    for line in sql.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            connection.execute(waiting)
            waiting = ""
    if waiting.strip():
        connection.execute(waiting)


def _cannot(path: Path, error: Exception) -> StartError:
    return StartError(f"can't use the database {path}: {_cause(error)}", "choose another --storage.path")


def _cause(error: Any) -> str:
    return str(getattr(error, "strerror", None) or error)
