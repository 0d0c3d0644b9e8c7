"""Children of `fenghuo up` come back when they die, end with it in order, and never outlive it."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fenghuo.addresses import free_port
from fenghuo.clock import SystemClock

ROOT = Path(__file__).parents[2]


@dataclass
class SmallStack:
    """The supervisor as a process, with its children's ids."""

    process: "subprocess.Popen[str]"
    pids: list[int]

    def line_with(self, text: str) -> str:
        """The next line that holds `text`; an end of the output fails."""
        assert self.process.stdout is not None
        return next(line for line in self.process.stdout if text in line)


@contextmanager
def small_stack(folder: Path) -> Iterator[SmallStack]:
    ports = [str(free_port()), str(free_port())]
    command = [sys.executable, "-m", "tests.acceptance.up_small_stack", str(folder), *ports]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        stack = SmallStack(process, [])
        stack.pids = json.loads(stack.line_with("["))
        yield stack
    finally:
        process.kill()
        process.communicate()


def gone(descriptor: int, timeout: float) -> bool:
    """Whether the process ends within `timeout` seconds (pidfd_open(2): readable at its end)."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(timeout * 1000))


def test_a_killed_supervisor_leaves_no_child(tmp_path: Path) -> None:
    with small_stack(tmp_path) as stack:
        descriptors = [os.pidfd_open(pid) for pid in stack.pids]
        stack.process.kill()
        assert [gone(descriptor, 5.0) for descriptor in descriptors] == [True, True]
        for descriptor in descriptors:
            os.close(descriptor)


def test_ctrl_c_ends_the_last_started_first_and_soon(tmp_path: Path) -> None:
    with small_stack(tmp_path) as stack:
        before = SystemClock().monotonic()
        stack.process.send_signal(signal.SIGINT)
        assert stack.process.stdout is not None
        stopped = [line.split()[0] for line in stack.process.stdout if line.endswith("stopped\n")]
        assert stack.process.wait(timeout=10) == 0
        assert SystemClock().monotonic() - before < 5
        command = stack.process.args
        assert isinstance(command, list)
        assert stopped == [command[-1], command[-2]]


def test_a_killed_child_comes_back_and_its_neighbour_stays(tmp_path: Path) -> None:
    with small_stack(tmp_path) as stack:
        os.kill(stack.pids[0], signal.SIGKILL)
        assert "ended by SIGKILL; starting it again in" in stack.line_with("SIGKILL")
        assert stack.line_with("is ready")
        os.kill(stack.pids[1], 0)  # raises when it is not there


def test_a_stopped_child_is_ended_all_the_same(tmp_path: Path) -> None:
    """One that does not react to SIGTERM holds nobody up for longer than the budget."""
    with small_stack(tmp_path) as stack:
        os.kill(stack.pids[1], signal.SIGSTOP)
        descriptors = [os.pidfd_open(pid) for pid in stack.pids]
        stack.process.send_signal(signal.SIGTERM)
        assert stack.process.wait(timeout=6) == 0
        assert [gone(descriptor, 0.0) for descriptor in descriptors] == [True, True]
        for descriptor in descriptors:
            os.close(descriptor)
