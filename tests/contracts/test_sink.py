"""The fake sink and the SQLite sink keep the same promises; Elasticsearch keeps them in tests/stack."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fenghuo.testing import ManualClock
from log_pipeline.adapters.sqlite import SqliteConfig, SqliteSink
from log_pipeline.ports import Sink
from log_pipeline.testing import FakeSink
from tests.contracts.log_sink import SinkContract, Store


class FakeStore:
    def __init__(self) -> None:
        self._sink = FakeSink()

    def sink(self) -> Sink:
        return self._sink

    async def messages(self) -> list[str]:
        return sorted(event.message for event in self._sink.stored.values())


class TestFakeSink(SinkContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return FakeStore()


class SqliteStore:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "logs.sqlite"

    def sink(self) -> Sink:
        # the time of the events, so that none is too old to be kept
        return SqliteSink(SqliteConfig(type="sqlite", path=self._path), ManualClock(now=1_795_253_400.0))

    async def messages(self) -> list[str]:
        with closing(sqlite3.connect(self._path)) as connection:
            return sorted(str(row[0]) for row in connection.execute("SELECT message FROM lines"))


class TestSqliteSink(SinkContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return SqliteStore(tmp_path)
