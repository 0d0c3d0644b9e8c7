"""The SQLite file that all stores share."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from alerting.storage.database import Database, Migration
from fenghuo.errors import StartError, StorageError

ONE = Migration("things", 1, "CREATE TABLE things (name TEXT PRIMARY KEY);")
TWO = Migration("things", 2, "ALTER TABLE things ADD COLUMN size INTEGER;\nCREATE TABLE more (x);")


def insert(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO things (name) VALUES ('a')")


def names(connection: sqlite3.Connection) -> list[str]:
    return [row["name"] for row in connection.execute("SELECT name FROM things")]


def test_what_was_written_is_there_after_a_new_start_and_each_migration_runs_once(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        first = await Database.open(tmp_path / "new" / "a.sqlite", [ONE])
        await first.run(insert)
        await first.close()
        await first.close()
        second = await Database.open(tmp_path / "new" / "a.sqlite", [ONE, TWO])
        found = await second.run(lambda connection: connection.execute("SELECT name, size FROM things").fetchall())
        await second.close()
        return [row["name"] for row in found]

    assert asyncio.run(scenario()) == ["a"]


def test_work_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        database = await Database.open(tmp_path / "a.sqlite", [ONE])

        def half(connection: sqlite3.Connection) -> None:
            insert(connection)
            raise ValueError("on purpose")

        with pytest.raises(ValueError, match="on purpose"):
            await database.run(half)
        left = await database.run(names)
        await database.close()
        return left

    assert asyncio.run(scenario()) == []


def test_a_failure_of_sqlite_names_the_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        database = await Database.open(tmp_path / "a.sqlite", [ONE])
        try:
            await database.run(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
            with pytest.raises(StorageError, match=r"a\.sqlite: database or disk is full"):
                await database.run(lambda connection: connection.execute("CREATE TABLE big AS SELECT zeroblob(99999)"))
            await database.run(insert)
        finally:
            await database.close()

    asyncio.run(scenario())


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_text("this is a text, and long enough to be seen as one " * 100)
    with pytest.raises(StartError, match=r"a\.sqlite: file is not a database"):
        asyncio.run(Database.open(tmp_path / "a.sqlite", [ONE]))


def test_a_path_that_is_no_folder_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"file/a\.sqlite"):
        asyncio.run(Database.open(tmp_path / "file" / "a.sqlite", [ONE]))


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        await (await Database.open(tmp_path / "a.sqlite", [ONE, TWO])).close()
        await Database.open(tmp_path / "a.sqlite", [ONE])

    with pytest.raises(StartError, match="newer version"):
        asyncio.run(scenario())
