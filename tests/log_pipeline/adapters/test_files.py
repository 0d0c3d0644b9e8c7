"""The file source as the flow uses it: reads that wait, pauses, commits. Files themselves: test_follow."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from fenghuo.errors import StorageError
from fenghuo.testing import ManualClock
from log_pipeline.adapters.files import FilesConfig, FileSource
from log_pipeline.model.event import Event
from log_pipeline.model.position import Partition

LINE = "2026-11-21T09:30:00.1Z stdout F {}\n"


async def never(partitions: Sequence[Partition]) -> Mapping[Partition, int]:
    raise AssertionError("no file is ever taken from us")


def source(folder: Path, clock: ManualClock) -> FileSource:
    config = FilesConfig(type="files", paths=[str(folder / "*.log")], host="node-1")
    return FileSource(config, folder / "state", clock)


def messages(events: Sequence[Event]) -> list[str]:
    return [event.message for event in events]


def test_a_read_waits_for_a_line_and_not_longer(tmp_path: Path) -> None:
    async def main() -> None:
        clock = ManualClock()
        files = source(tmp_path, clock)
        await files.open(never)
        reading = asyncio.ensure_future(files.read(10, timeout=30.0))
        for _ in range(20):
            await clock.advance(0.1)
        assert not reading.done()
        (tmp_path / "a.log").write_text(LINE.format("one"))
        while not reading.done():
            await clock.advance(0.1)
        assert messages(reading.result()) == ["one"]
        assert clock.monotonic() < 30.0
        waiting = asyncio.ensure_future(files.read(10, timeout=0.25))
        while not waiting.done():
            await clock.advance(0.05)
        assert waiting.result() == []
        await files.close()

    asyncio.run(main())


def test_an_event_says_where_it_comes_from(tmp_path: Path) -> None:
    async def main() -> Sequence[Event]:
        (tmp_path / "a.log").write_text(LINE.format("one") + LINE.format("two"))
        files = source(tmp_path, ManualClock())
        await files.open(never)
        events = await files.read(10, timeout=0.0)
        await files.close()
        return events

    first, second = asyncio.run(main())
    assert (second.host, second.path, second.offset, second.stream) == (
        "node-1",
        str(tmp_path / "a.log"),
        len(LINE.format("one")),
        "stdout",
    )
    assert first.position.partition == second.position.partition
    assert first.position.next == second.position.offset


def test_lag_is_in_bytes(tmp_path: Path) -> None:
    async def main() -> tuple[int | None, int | None]:
        (tmp_path / "a.log").write_text(LINE.format("one"))
        files = source(tmp_path, ManualClock())
        await files.open(never)
        before = files.lag()
        await files.read(10, timeout=0.0)
        after = files.lag()
        await files.close()
        return before, after

    assert asyncio.run(main()) == (len(LINE.format("one")), 0)


def test_a_commit_that_cant_be_kept_is_a_storage_error(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "a.log").write_text(LINE.format("one"))
        files = source(tmp_path, ManualClock())
        await files.open(never)
        (event,) = await files.read(10, timeout=0.0)
        files._follower._positions.close()
        with pytest.raises(StorageError):
            await files.commit({event.position.partition: event.position.next})
        await files.close()

    asyncio.run(main())


def test_a_source_needs_paths() -> None:
    with pytest.raises(ValidationError):
        FilesConfig(type="files", paths=[])


def test_a_file_system_that_fails_is_an_error_of_ours(tmp_path: Path) -> None:
    """The flow waits and reads again; an error that it does not know would end the process."""

    async def main() -> None:
        log = tmp_path / "a.log"
        log.write_text(LINE.format("one"))
        files = source(tmp_path, clock := ManualClock())
        await files.open(never)
        await files.read(10, timeout=0.0)
        (tail,) = files._follower._tails.values()
        assert tail._descriptor is not None
        os.close(tail._descriptor)
        log.rename(tmp_path / "a.log.1")
        await clock.advance(2.0)
        try:
            with pytest.raises(StorageError, match="the log files: "):
                await files.read(10, timeout=0.0)
        finally:
            tail._descriptor = None
            await files.close()

    asyncio.run(main())
