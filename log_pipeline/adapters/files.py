"""Container log files as a Source: found by globs, followed through rotation, resumed exactly.

What happens to a file, and what is done:

    grows                      read on, a chunk at a time, in turn with the others
    renamed (rotation)         read to its end first, then the new file of that name from its beginning
    deleted                    its open descriptor is read to the end
    cut and written again      begun again as a new instance; what was not yet read went with the cut
    inode used again           told by a hash of the first line and of the bytes before the position
    can't be read              reported once with its path, tried again at each scan; its neighbours go on

Positions are stored when the flow commits, that is after the sink's acknowledgement. All file work runs in one
worker thread, in slices; the event loop never waits for a disk.
"""

import asyncio
import platform
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field

from fenghuo.clock import Clock
from fenghuo.config import Config
from fenghuo.errors import StorageError
from log_pipeline.adapters.follow import FileSettings, Follower, Instant
from log_pipeline.model.event import Event
from log_pipeline.model.position import Partition
from log_pipeline.ports import Release

_POLL = 0.1

Result = TypeVar("Result")


class FilesConfig(Config):
    """`source: {type: files}`. `paths` are globs; `host` names the node in the documents."""

    type: Literal["files"]
    paths: list[str] = Field(min_length=1)
    host: str = Field(default_factory=platform.node)


class FileSource:
    """A Source. `state` is the folder that keeps the positions."""

    name = "files"
    lag_unit: Literal["messages", "bytes"] = "bytes"

    def __init__(self, config: FilesConfig, state: Path, clock: Clock, settings: FileSettings | None = None) -> None:
        positions = state / "positions.sqlite"
        self._follower = Follower(config.paths, positions, config.host, settings or FileSettings())
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "files")
        self._paused = False

    async def open(self, release: Release) -> None:
        """Never calls `release`: nobody takes a file away from us."""
        await self._run(self._follower.open, self._now())

    async def read(self, limit: int, timeout: float) -> Sequence[Event]:
        end = self._clock.monotonic() + timeout
        while True:
            if not self._paused and (events := await self._run(self._follower.collect, limit, self._now())):
                return events
            left = end - self._clock.monotonic()
            if left <= 0:
                return []
            await self._clock.sleep(min(left, _POLL))

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        await self._run(self._follower.commit, offsets, self._now())

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def lag(self) -> int | None:
        return self._follower.lag()

    async def close(self) -> None:
        await self._run(self._follower.close)
        self._thread.shutdown()

    def _now(self) -> Instant:
        return Instant(self._clock.monotonic(), self._clock.now())

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except OSError as error:  # of a file system that went, where a file's own troubles are not looked for
            raise StorageError(f"the log files: {error}") from error
