"""`fenghuo up` as a process of its own, read as a person reads it: line by line, waiting for what should come."""

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fenghuo.clock import SystemClock

COMMAND = (sys.executable, "-m", "fenghuo")


def fenghuo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A short command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


class Up:
    """A running stack. Leaving the context kills what is still there."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        self.printed: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            [*COMMAND, "up", "--state", str(state), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def wait_for(self, wanted: Callable[[str], bool], timeout: float) -> str:
        """The next line that is wanted. Fails with all that was printed when it does not come in time."""
        deadline = SystemClock().monotonic() + timeout
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - SystemClock().monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, "it did not come:\n" + "\n".join(self.printed)
            self.printed.append(line)
            if wanted(line):
                return line

    def status(self) -> dict[str, Any]:
        """`fenghuo up status --json`, with its exit code as `code`."""
        ran = fenghuo("up", "status", "--json", "--state", str(self.state))
        document: dict[str, Any] = json.loads(ran.stdout)
        return {**document, "code": ran.returncode}

    def pids(self) -> dict[str, int]:
        """Part: process id, of our children."""
        return {part["name"]: part["pid"] for part in self.status()["parts"] if part["pid"]}

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> tuple[int, float]:
        """Ctrl-C, or another signal: the exit code and the seconds until it has ended."""
        before = SystemClock().monotonic()
        self._process.send_signal(number)
        return self.end(before)

    def end(self, before: float) -> tuple[int, float]:
        """Wait for its end."""
        code = self._process.wait(timeout=20)
        return code, SystemClock().monotonic() - before


def is_gone(pid: int) -> bool:
    """Whether no such process runs; one that waits to be reaped counts as gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(0))
    finally:
        os.close(descriptor)
