"""The fake source and the file source keep the same promises; Kafka keeps them in tests/stack."""

from pathlib import Path

import pytest

from fenghuo.clock import SystemClock
from log_pipeline.adapters.files import FilesConfig, FileSource
from log_pipeline.ports import Source
from log_pipeline.testing import FakeLog, FakeSource, new_event
from tests.contracts.log_source import SourceContract, World


class FakeWorld:
    def __init__(self) -> None:
        self._log = FakeLog()

    def write(self, *messages: str) -> None:
        for message in messages:
            self._log.records.append(new_event(len(self._log.records), message))

    def source(self) -> Source:
        return FakeSource(self._log)


class TestFakeSource(SourceContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return FakeWorld()


class FileWorld:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "app.log"

    def write(self, *messages: str) -> None:
        with self._path.open("a") as file:
            file.writelines(f"2026-11-21T09:30:00.000000000Z stdout F {message}\n" for message in messages)

    def source(self) -> Source:
        config = FilesConfig(type="files", paths=[str(self._folder / "*.log")])
        return FileSource(config, self._folder / "state", SystemClock())


class TestFileSource(SourceContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        return FileWorld(tmp_path)
