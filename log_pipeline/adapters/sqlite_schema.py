"""The tables of the SQLite store, how a connection to it is opened, and what its errors mean.

Three tables. `origins`: where lines come from, a row a log file, so that path, pod and namespace are not
repeated with each line. `lines`: one row a line. `lines_text`: the words of the messages, as a *contentless*
FTS5 index: it indexes `index_text(message)`, which is not what `lines` stores, so an external-content table
would be wrong about its content, and a copy of the text would double the file.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from fenghuo.errors import StartError, StorageError

VERSION = 1
"""Raised with each change of the tables or of `index_text`."""

LARGEST_FETCH = 16 << 20
"""Characters of messages that are taken into memory at once; a message may have a million."""

_APPLICATION_ID = 0x46484C47  # "FHLG", so that another program's database is not taken for ours

_SCHEMA = f"""
CREATE TABLE origins (
    path TEXT NOT NULL, namespace TEXT NOT NULL, pod TEXT NOT NULL, container TEXT NOT NULL, node TEXT NOT NULL,
    UNIQUE (path, namespace, pod, container, node)
);
CREATE INDEX origins_pod ON origins (pod);
CREATE INDEX origins_namespace ON origins (namespace);
CREATE TABLE lines (
    id TEXT NOT NULL UNIQUE,        -- the document id: the same line again is not stored twice
    time INTEGER NOT NULL,          -- Unix nanoseconds
    origin INTEGER NOT NULL,        -- origins.rowid
    stream TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL, offset INTEGER
);
-- Searches walk back in time here; level and origin are in the index so that lines they rule out are not read.
CREATE INDEX lines_time ON lines (time, level, origin);
CREATE VIRTUAL TABLE lines_text USING fts5(
    message, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2'
);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""

_REMEDIES = {
    "SQLITE_READONLY": "make the file and its folder writable for this user",
    "SQLITE_CANTOPEN": "create its folder, and let this user read and write there",
    "SQLITE_PERM": "let this user read and write the file",
    "SQLITE_NOTADB": "name another file, or move this one away",
    "SQLITE_CORRUPT": "move it away, and a new one is begun; with the positions file moved away too, the log files "
    "that are still there are read again",
}


def error_code(error: sqlite3.Error) -> str:
    """The primary result code's name, `SQLITE_FULL` also for its extended kinds."""
    name = getattr(error, "sqlite_errorname", None) or "SQLITE_ERROR"
    return "_".join(name.split("_")[:2])


def translated(path: Path, error: sqlite3.Error) -> StartError | StorageError:
    """What an error at opening means: a thing to be put right first, or one that may pass."""
    code = error_code(error)
    if code in _REMEDIES:
        return StartError(f"the log database {path} can't be used: {error}", _REMEDIES[code])
    return StorageError(f"the log database {path}: {error}")


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes; makes folder, file and tables when they are not there.

    Each commit reaches the disk before it returns: a source forgets what is acknowledged. Raises StartError
    when the file can't be used as it is, StorageError when that may pass (disk full, locked).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # logs may hold what is not for everybody; SQLite gives its side files the same rights
        path.touch(mode=0o600)
    except OSError as error:
        raise StartError(f"the log database {path} can't be made: {error.strerror}", "name another place") from error
    try:
        connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise translated(path, error) from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise translated(path, error) from error
    except StartError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    check_schema(connection, path)
    # A read-only file is opened without a complaint; only an attempt to write tells.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("ROLLBACK")


def fetch_bounded(cursor: sqlite3.Cursor) -> list[Any]:
    """The rows, whose second column is the message, until their messages have `LARGEST_FETCH` characters."""
    rows: list[Any] = []
    size = 0
    with closing(cursor):
        while size < LARGEST_FETCH and (row := cursor.fetchone()) is not None:
            rows.append(row)
            size += len(row[1])
    return rows


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StartError when the file is not a log database of this version."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) == (_APPLICATION_ID, VERSION):
        return
    if application != _APPLICATION_ID:
        raise StartError(f"{path} is no log database of fenghuo", "name another file")
    raise StartError(f"{path} has tables of version {version}, expected {VERSION}", "move the file away")
