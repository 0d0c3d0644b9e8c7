"""Real processes that take memory of each kind, and more than they may have: the kernel's counters come out as they
should.

Within 2 %, and what the kernel holds back: it charges memory 64 pages at a time and adds up statistics by as many, on
each processor by itself, so that a number may be off by 64 pages a processor.
"""

import json
import mmap
import os
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.stack.cgroups import (
    LIMIT_HITS,
    MEMORY_LIMIT,
    MEMORY_USAGE,
    RESERVATION,
    container_path,
    file_of,
    go_on,
    is_v1,
    limit_memory,
    make,
    numbers_in,
    own_collector,
    own_pods,
    pod_path,
    remove,
    series_of,
    told,
    working_in,
)

pytestmark = pytest.mark.stack

MIB = 1 << 20
SIZE = 64 * MIB
PAGE = mmap.PAGESIZE
LIMITS = ("limit", "swap_limit", "reservation_limit")
SCOPES = ("container", "hierarchy")
BATCHED = 64 * PAGE * (os.cpu_count() or 1)

MEMORY = "container_memory_"
FAULTS = ("failures_total pgfault", "failures_total pgmajfault")
OOM = "container_oom_events_total"

BEGIN = """
import fcntl, json, mmap, resource
size = int(sys.argv[2])
found = None
def faults():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return [used.ru_minflt + used.ru_majflt, used.ru_majflt]
print("ready", flush=True)
sys.stdin.readline()
"""

END = """
print(json.dumps(found), flush=True)
sys.stdin.readline()
"""

TOUCH = """
private = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
private.madvise(mmap.MADV_NOHUGEPAGE)
before = faults()
for at in range(0, size, mmap.PAGESIZE): private[at] = 1
found = [now - then for now, then in zip(faults(), before)]
"""

FREE = "private.close()"

SHARE = """
with open(sys.argv[3], "wb") as file: file.truncate(size)
with open(sys.argv[3], "r+b") as file: shared = mmap.mmap(file.fileno(), size)
for at in range(0, size, mmap.PAGESIZE): shared[at] = 1
"""

READ = """
buffer = bytearray(1 << 16)
with open(sys.argv[3], "rb", buffering=0) as file:
    while file.readinto(buffer): pass
"""

MAP = """
with open(sys.argv[3], "rb") as file: mapped = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
mapped.madvise(mmap.MADV_RANDOM)  # each page is a fault of its own
before = faults()
for at in range(0, size, mmap.PAGESIZE): mapped[at]
found = [now - then for now, then in zip(faults(), before)]
"""

WRITE = """
file, block = open(sys.argv[3], "r+b", buffering=0), bytes(1 << 16)
for _ in range(size >> 16): file.write(block)
"""

FILL_PIPES = """
pipes = [os.pipe() for _ in range(size >> 20)]
for _, end in pipes:
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)
    for _ in range(16): os.write(end, bytes(1 << 16))
"""

DEVOUR = "bytearray(64 << 20)"

OFFER_CHILDREN = """
for _ in range(int(sys.argv[2])):
    if os.fork() == 0:
        bytearray(64 << 20)
    os.wait()
print("mourning", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def pods() -> Iterator[str]:
    with own_pods() as top:
        yield top


@pytest.fixture
def container(pods: str) -> str:
    """The path of a container in a pod."""
    path = container_path(pods, 1, 1)
    make(path)
    return path


@pytest.fixture
def file() -> Iterator[str]:
    """A file on a disk, of which no page is in memory."""
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:  # /tmp may be in memory
        file.write(os.urandom(SIZE))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        yield file.name


class Taken(NamedTuple):
    """What a process' work changed in its cgroup, what was published then, and what the process found itself."""

    grown: dict[str, float]
    after: dict[str, float]
    found: Any


def taken(path: str, script: str, *arguments: str) -> Taken:
    """Let a process do its work in a cgroup."""
    memory = own_collector("cgroup.memory")
    with working_in(path, BEGIN + script + END, str(SIZE), *arguments) as process:
        assert told(process) == "ready"
        before = series_of(memory, path)
        found = json.loads(go_on(process))
        after = series_of(memory, path)
    return Taken({name.removeprefix(MEMORY): after[name] - value for name, value in before.items()}, after, found)


def nearly(size: int) -> object:
    """A size as it may be published."""
    return pytest.approx(size, abs=0.02 * size + BATCHED)


def other_than(size: int, took: Taken, *names: str) -> dict[str, float]:
    """Those metrics that did not grow by nearly so much, with how much they did."""
    return {name: took.grown[name] for name in names if took.grown[name] != nearly(size)}


def test_memory_of_its_own(container: str) -> None:
    """Pages of no file are rss; none of them is cache."""
    took = taken(container, TOUCH)
    assert not other_than(SIZE, took, "rss", "usage_bytes", "working_set_bytes")
    assert not other_than(0, took, "cache", "mapped_file")


def test_a_pod_is_the_sum_of_its_containers(pods: str, container: str) -> None:
    memory, pod, second = own_collector("cgroup.memory"), pod_path(pods, 1), container_path(pods, 1, 2)
    make(second)
    with (
        working_in(container, BEGIN + TOUCH + END, str(SIZE)) as first,
        working_in(second, BEGIN + TOUCH + END, str(SIZE)) as other,
    ):
        assert told(first) == told(other) == "ready"
        before = series_of(memory, pod)
        go_on(first), go_on(other)
        after, parts = series_of(memory, pod), [series_of(memory, path) for path in (container, second)]
    for name in (f"{MEMORY}rss", f"{MEMORY}usage_bytes"):
        assert after[name] - before[name] == nearly(2 * SIZE)
        assert after[name] == nearly(int(sum(part[name] for part in parts)))


def test_pages_of_a_file_that_is_read(container: str, file: str) -> None:
    """They are cache that nobody maps, used once: in the usage, but not in the working set."""
    took = taken(container, READ, file)
    assert not other_than(SIZE, took, "cache", "total_inactive_file_bytes", "usage_bytes")
    assert not other_than(0, took, "rss", "mapped_file", "working_set_bytes")
    working_set = took.after[f"{MEMORY}usage_bytes"] - took.after[f"{MEMORY}total_inactive_file_bytes"]
    assert took.after[f"{MEMORY}working_set_bytes"] == max(0, working_set)


def test_pages_of_a_file_that_is_mapped(container: str, file: str) -> None:
    """They are cache and mapped, not rss; each was a fault that had to read the disk."""
    took = taken(container, MAP, file)
    assert not other_than(SIZE, took, "cache", "mapped_file")
    assert not other_than(0, took, "rss")
    faults, major = took.found
    assert major > 0.9 * SIZE / PAGE
    for name, found in zip(FAULTS, (faults, major), strict=True):
        of_container, of_hierarchy = (took.grown[f"{name} {scope}"] for scope in SCOPES)
        assert of_container == of_hierarchy == pytest.approx(found, rel=0.02, abs=BATCHED / PAGE)


def test_faults_without_a_disk(container: str) -> None:
    """Memory that is touched for the first time: a fault a page, none of them major."""
    took = taken(container, TOUCH)
    assert took.found[0] >= SIZE / PAGE
    faults, major = (took.grown[f"{name} container"] for name in FAULTS)
    assert faults == pytest.approx(took.found[0], rel=0.02, abs=BATCHED / PAGE)
    assert major == took.found[1] == 0


def test_files_in_memory(container: str) -> None:
    """Pages of tmpfs and of shared memory are cache and in the working set, for no disk has them; they are not rss."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        took = taken(container, SHARE, file.name)
    assert not other_than(SIZE, took, "cache", "mapped_file", "usage_bytes", "working_set_bytes")
    assert not other_than(0, took, "rss", "total_inactive_file_bytes")


def test_pages_that_are_written(container: str, file: str) -> None:
    """Dirty or on their way to the disk until they are there; they are cache."""
    dirty, synced = taken(container, WRITE, file), taken(container, f"{WRITE}os.fsync(file)", file)
    assert dirty.grown["file_dirty_bytes"] + dirty.grown["file_writeback_bytes"] == nearly(SIZE)
    assert not other_than(SIZE, dirty, "cache")
    assert synced.after[f"{MEMORY}file_dirty_bytes"] + synced.after[f"{MEMORY}file_writeback_bytes"] <= BATCHED


def test_memory_of_the_kernel(container: str) -> None:
    """What is in pipes is the kernel's: in the usage, neither rss nor cache."""
    took = taken(container, FILL_PIPES)
    assert not other_than(SIZE, took, "kernel_usage", "usage_bytes")
    assert not other_than(0, took, "rss", "cache")


def test_the_highest_usage_stays(container: str) -> None:
    """When the memory is given back, the usage falls."""
    took = taken(container, TOUCH + FREE)
    assert not other_than(SIZE, took, "max_usage_bytes")
    assert not other_than(0, took, "usage_bytes", "rss")


def test_a_limit_that_is_hit_again_and_again(container: str, file: str) -> None:
    """A file that is larger than the limit is read to its end: the kernel takes pages back, and counts each time.

    The limit is of memory alone: on v1 one of memory with swap that is no higher is met first, and this count stays 0.
    """
    file_of(container, MEMORY_LIMIT).write_text(str(SIZE // 4))
    took = taken(container, READ, file)
    hits = "memory_failcnt" if is_v1() else "memory_events_max_total"
    kernel = int(file_of(container, LIMIT_HITS).read_text()) if is_v1() else numbers_in(container, LIMIT_HITS)["max"]
    assert took.after[f"container_{hits}"] == kernel > 10
    assert 0.9 * SIZE / 4 < took.after[f"{MEMORY}max_usage_bytes"] <= SIZE / 4
    assert took.after[f"{MEMORY}usage_bytes"] <= SIZE / 4
    assert took.after[OOM] == 0


def test_limits_are_told_as_they_were_set(container: str) -> None:
    """In bytes; what has no limit is told as 0."""
    memory = own_collector("cgroup.memory")
    unlimited = series_of(memory, container)
    limit_memory(container, SIZE)
    file_of(container, RESERVATION).write_text(str(SIZE // 2))
    limited = series_of(memory, container)
    swap = SIZE if is_v1() else 0
    assert [unlimited[f"container_spec_memory_{name}_bytes"] for name in LIMITS] == [0, 0, 0]
    assert [limited[f"container_spec_memory_{name}_bytes"] for name in LIMITS] == [SIZE, swap, SIZE // 2]


def test_usage_is_what_the_kernel_says(container: str) -> None:
    """Nearly: what was charged in advance is given back now and then, also while nothing moves."""
    with working_in(container, BEGIN + TOUCH + END, str(SIZE)) as process:
        assert told(process) == "ready"
        go_on(process)
        usage = series_of(own_collector("cgroup.memory"), container)[f"{MEMORY}usage_bytes"]
        assert usage == pytest.approx(int(file_of(container, MEMORY_USAGE).read_text()), abs=BATCHED)


def kill(path: str, times: int) -> None:
    """Processes that take more than their cgroup may have, one after the other."""
    for _ in range(times):
        with working_in(path, DEVOUR) as process:
            assert process.wait() == -9


def test_kills_are_counted_one_by_one(container: str) -> None:
    """Whole containers and single children of one that lives on."""
    limit_memory(container, 32 * MIB)
    memory = own_collector("cgroup.memory")
    assert series_of(memory, container)[OOM] == 0
    kill(container, 2)
    assert series_of(memory, container)[OOM] == 2
    with working_in(container, OFFER_CHILDREN, "3") as process:
        assert told(process) == "mourning"
        assert series_of(memory, container)[OOM] == 5


def test_a_kill_for_the_limit_of_the_pod(pods: str, container: str) -> None:
    """It counts for the container whose process it was; another container of the pod has none."""
    other = container_path(pods, 1, 2)
    make(other)
    limit_memory(pod_path(pods, 1), 32 * MIB)
    kill(container, 1)
    memory = own_collector("cgroup.memory")
    assert (series_of(memory, container)[OOM], series_of(memory, other)[OOM]) == (1, 0)


def test_kills_outlive_the_container(pods: str, container: str) -> None:
    """A container that comes back is another cgroup and begins at 0; its pod remembers all that were seen."""
    memory, pod = own_collector("cgroup.memory"), pod_path(pods, 1)
    seen = []
    for kills in (2, 1, 0):
        limit_memory(container, 32 * MIB)
        series_of(memory, pod)
        kill(container, kills)
        seen.append((series_of(memory, container)[OOM], series_of(memory, pod)[OOM]))
        remove(container)
        seen.append((len(series_of(memory, container)), series_of(memory, pod)[OOM]))
        make(container)
    assert seen == [(2, 2), (0, 2), (1, 3), (0, 3), (0, 3), (0, 3)]
