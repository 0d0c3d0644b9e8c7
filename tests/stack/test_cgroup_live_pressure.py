"""Real processes that wait, fill a cgroup, or leave pages unwritten: the kernel's counters come out as they should."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from tests.stack.cgroups import CGROUPS, UNIFIED, is_v1, own_cgroup, published, told, working_in

pytestmark = pytest.mark.stack

MIB = 1 << 20

SPIN = """
import time
os.sched_setaffinity(0, {int(sys.argv[2])})
print("spinning", flush=True)
end = time.monotonic() + 2
while time.monotonic() < end: pass
print("two seconds", flush=True)
while True: pass
"""

DEVOUR = "bytearray(64 << 20)"

SCRIBBLE = """
import signal
with open(sys.argv[2], "wb") as file:
    file.write(bytes(64 << 20))
    print("written", flush=True)
    signal.pause()
"""


def test_two_processes_on_one_cpu_wait_for_it_all_the_time() -> None:
    """One of them always does, whatever else runs on the machine; so waiting is the time that passed, within 2 %."""
    cpu = str(min(os.sched_getaffinity(0)))
    with own_cgroup(UNIFIED) as folder, working_in(folder, SPIN, cpu) as first, working_in(folder, SPIN, cpu) as second:
        assert told(first) == told(second) == "spinning"
        began, before = time.monotonic(), published("cgroup.pressure", folder, UNIFIED)
        assert told(second) == "two seconds"
        ended, after = time.monotonic(), published("cgroup.pressure", folder, UNIFIED)
    waited = {name: after[name] - value for name, value in before.items()}
    assert waited["container_pressure_cpu_waiting_seconds_total"] == pytest.approx(ended - began, rel=0.02)
    assert waited["container_pressure_cpu_stalled_seconds_total"] < ended - began
    assert waited["container_pressure_memory_waiting_seconds_total"] < 0.1
    assert len(waited) == 6


def memory_limit(folder: Path, limit: int) -> None:
    """Not a byte more, swap included."""
    for name in ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes") if is_v1() else ("memory.max",):
        if (folder / name).exists():
            (folder / name).write_text(str(limit))
    if not is_v1() and (folder / "memory.swap.max").exists():
        (folder / "memory.swap.max").write_text("0")


def test_a_kill_is_counted_where_it_was() -> None:
    """A process that takes more than its cgroup may have is killed once, and its cgroup says once."""
    with own_cgroup(CGROUPS / "memory" if is_v1() else CGROUPS) as folder:
        memory_limit(folder, 32 * MIB)
        assert published("cgroup.memory", folder)["container_oom_events_total"] == 0
        with working_in(folder, DEVOUR) as process:
            assert process.wait() == -9
        assert published("cgroup.memory", folder)["container_oom_events_total"] == 1


def test_pages_that_are_not_written_back_yet() -> None:
    """Just after a write they are dirty or on their way, within 2 %."""
    with (
        tempfile.NamedTemporaryFile(dir="/var/tmp") as file,  # /tmp may be in memory, where nothing is written back
        own_cgroup(CGROUPS / "memory" if is_v1() else CGROUPS) as folder,
        working_in(folder, SCRIBBLE, file.name) as process,
    ):
        assert told(process) == "written"
        memory = published("cgroup.memory", folder)
    unwritten = memory["container_memory_file_dirty_bytes"] + memory["container_memory_file_writeback_bytes"]
    assert unwritten == pytest.approx(64 * MIB, rel=0.02)
