"""Child processes: started in a session of their own, tied to our life, their output kept and bounded."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from fenghuo.errors import StartError

TETHER = Path(__file__).with_name("tether.py")
LARGEST_LOG = 1 << 20
"""Bytes of output a child keeps before the file is turned over; one older file stays."""


class Process(Protocol):
    """A running child."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """The exit code; negative is the signal that ended it. May be asked many times."""
        ...

    def terminate(self) -> None:
        """Ask it to end in order. No error when it is gone."""
        ...

    def kill(self) -> None:
        """End it and all that it started, now. No error when it is gone."""
        ...


class Spawner(Protocol):
    """Starts children and keeps what they print."""

    async def spawn(self, name: str, command: Sequence[str]) -> Process:
        """Raises StartError when the machine refuses a new process."""
        ...

    def last_lines(self, name: str, count: int) -> list[str]:
        """The end of what the child printed, oldest first."""
        ...


class ChildLog:
    """A file of what a child prints, turned over once it is large: never more than two files of `largest`."""

    def __init__(self, path: Path, largest: int = LARGEST_LOG) -> None:
        self.path = path
        self._largest = largest

    def append(self, chunk: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(chunk)
            full = file.tell() >= self._largest
        if full:
            self.turn_over()

    def turn_over(self) -> None:
        """Keep the present file as `.1` and begin a new one."""
        with suppress(OSError):  # not there yet, or in the way of nobody but the reader
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))

    def last_lines(self, count: int) -> list[str]:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 14)))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if line.strip()][-count:]


class LocalSpawner:
    """The real one."""

    def __init__(self, folder: Path, work: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._work = work
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._logs: dict[str, ChildLog] = {}

    async def spawn(self, name: str, command: Sequence[str]) -> Process:
        tied = (sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command)
        try:
            child = await asyncio.create_subprocess_exec(
                *tied,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._work,
                env=self._environment,
                start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone
            )
        except OSError as error:
            raise StartError(f"can't start {name}: {error.strerror}", "see `ulimit -u` and free memory") from error
        return LocalProcess(child, self._log(name))

    def last_lines(self, name: str, count: int) -> list[str]:
        return self._log(name).last_lines(count)

    def path_of(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _log(self, name: str) -> ChildLog:
        if name not in self._logs:
            self._logs[name] = ChildLog(self.path_of(name))
            self._logs[name].turn_over()  # each run of the stack begins a file
        return self._logs[name]


class LocalProcess:
    """A child of this process, with the task that reads its output."""

    def __init__(self, child: asyncio.subprocess.Process, log: ChildLog) -> None:
        self._child = child
        self._reading = asyncio.ensure_future(_copy(child, log))

    @property
    def pid(self) -> int:
        return self._child.pid

    async def wait(self) -> int:
        code = await self._child.wait()
        # Its last words; a grandchild that keeps the pipe open must not keep us.
        await asyncio.wait({self._reading}, timeout=0.5)
        return code

    def terminate(self) -> None:
        with suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)


async def _copy(child: asyncio.subprocess.Process, log: ChildLog) -> None:
    """Write the output away until it ends. A full disk must not block the child, so errors are passed over."""
    if child.stdout is None:
        return
    while chunk := await child.stdout.read(1 << 16):
        with suppress(OSError):
            log.append(chunk)


def describe_exit(code: int) -> str:
    """`exited with code 2`, `ended by SIGKILL`."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"
