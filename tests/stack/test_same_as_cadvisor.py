"""Our exporter and cAdvisor side by side, on cgroups of this machine in which processes work, hold memory and write.

Names, labels and types are the same, and what cAdvisor saw lies between what we read before and after, or within 2 % of
it. Every difference is in a table with its reason; one that is gone makes its line in the table a failure. Needs root
and cgroup v1, alone or beside v2.
"""

import contextlib
import math
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

import pytest

from exporters import catalog
from tests.exporters.beside import Labels, Published, differences
from tests.exporters.beside_cadvisor import Metrics, Round, side_by_side
from tests.stack.cgroups import (
    CGROUPS,
    UNIFIED,
    container_path,
    is_v1,
    limit_cpu,
    limit_memory,
    make,
    own_cgroup,
    own_pods,
    pod_path,
    told,
    working_in,
)

pytestmark = pytest.mark.stack

MIB = 1 << 20
FURTHER = ("cpuset", "devices")
ROUNDS = 3
"""What goes up and down may lie beyond our two readings, but not each time."""
SPARE = 0.02

OBSERVED = re.compile(
    r"container_(network_(advance_tcp|tcp|udp)|file_descriptors|processes|sockets|tasks_state|threads)"
)
OBSERVERS = 10
"""What a scrape itself changes on the machine: it takes files, sockets and threads. A few more or less are no error."""

EVERYTHING = ("-enable_load_reader", "-disable_metrics=perf_event,referenced_memory,resctrl")
"""What is left out needs a CPU's counters, or resets what the kernel knows of processes."""

WORK = """
import mmap
held = b"x" * (48 << 20)
try:
    file = os.open(sys.argv[2], os.O_RDWR | os.O_DIRECT)
except OSError:  # a file system without
    file = os.open(sys.argv[2], os.O_RDWR)
block = mmap.mmap(-1, 1 << 16)
for at in range(32):
    os.pwritev(file, [block], at << 16)
for at in range(16):
    os.preadv(file, [block], at << 16)
print("at work", flush=True)
while True: pass
"""

IDLE = """
print("idle", flush=True)
sys.stdin.read()
"""

DEVOUR = "bytearray(64 << 20)"

RIVAL = """
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print("running", flush=True)
while True: pass
"""

WITHOUT_CONTROLLERS = re.compile(r"container_(cpu_(usage|user|system)|pressure)_")

DIFFERENCES: Mapping[str, str] = {
    r'container_cpu_usage_seconds_total\{cpu="cpu\d+",.*\}: only theirs': "on large machines hundreds a cgroup",
    r'container_cpu_usage_seconds_total\{cpu="total",.*\}: only ours': "their sum, as the kubelet has it",
    r'container_tasks_state\{.*,state="iowaiting"\}: only theirs': "the kernel has no letter for it in /proc",
    r"container_health_state: only theirs": "-1 for all but containers of Docker that have a health check",
    r"container_(memory_events_(high|max)|pressure_\w+_seconds)_total: only theirs": "zeros: v1 does not count these",
    r"container_memory_file_(dirty|writeback)_bytes: only ours": "cAdvisor has them on v2, from 0.60 on",
    r'container_memory_(failcnt|failures_total|kernel_usage|max_usage_bytes)\{.*id="/".*\}: only theirs': (
        "our root is the machine, of which /proc/meminfo does not say this"
    ),
    r'container_spec_memory_reservation_limit_bytes\{id="/"\}: only theirs': "a zero: nobody can set it",
    r'container_fs_(io|read|reads|sector|write|writes)_.*\{device="(?!/dev/(?!shm")).*\}: only theirs': (
        "zeros: a tmpfs is on no disk"
    ),
    r'container_oom_events_total\{id="/"\}: only theirs': "of the whole machine node_vmstat_oom_kill tells",
    r'container_memory_numa_pages\{id="/",.*,scope="container",.*\}: only theirs': "our root is the machine, all of it",
    r'container_network_(advance_tcp|tcp6?|udp6?)_\w+\{id="\w+",.*\}: only theirs': (
        "zeros: cAdvisor knows a process in a network from an engine only"
    ),
    r'container_network_advance_tcp_stats_total\{.*,tcp_state="tcpfackreorder"\}: only theirs': (
        "a zero: gone from the kernel in 4.15"
    ),
    r'container_threads(_max)?\{id="/"\}: only theirs': "zeros: the root has no pids.current and no limit",
    r'container_ulimits_soft\{id="(busy|idle)",.*\}: only ours': "cAdvisor knows the first process from an engine only",
    r"machine_nvm_\w+: only theirs": "zeros: cAdvisor is built without the library for memory that keeps its content",
}
"""Patterns of lines of `differences` → why it is so, whatever the values are."""

SOMETIMES: Mapping[str, str] = {
    r'container_cpu_load(_d)?_average_10s\{id="/"\}: .*': "each averages what it saw when it looked",
    r'container_sockets\{id="/"\}: only theirs': "we say nothing where there are processes that we may not look into",
}
"""Patterns that may find nothing, in lines of `differences` and of `beyond`."""

OTHER_VALUES: Mapping[str, str] = {
    r"container_fs_(io_time|io_time_weighted|read|write)_seconds_total\{.*": "they take milliseconds for nanoseconds",
    r'container_memory_failures_total\{failure_type="pgfault",id="(pod|top)",scope="hierarchy".*': (
        "cAdvisor's are of the cgroup itself on v1, ours are of all below it as well"
    ),
    r'container_tasks_state\{id="/",state="sleeping"\}.*': (
        "the kernel's count for cgroups leaves out who may be frozen in sleep, from 6.1 on"
    ),
    r'container_oom_events_total\{id="(killed|pod)".*': "cAdvisor counts kills in the kernel's log while it runs",
}
"""Patterns of lines of `beyond` → why cAdvisor's value is another."""

OTHER_DEFAULTS: Mapping[str, str] = {
    r"container_(cpu_load_average_10s|cpu_load_d_average_10s|tasks_state): only theirs": (
        "zeros, unless cAdvisor is given -enable_load_reader"
    ),
    "container_(processes|threads|threads_max): only ours": "the kubelet has them by default",
}
"""The lines of `differences` beyond those of DIFFERENCES when neither is told what to publish."""

OF_V2: Mapping[str, str] = {
    r'container_pressure_cpu_stalled_seconds_total\{id="/"\}: only theirs': "a zero that means nothing to the kernel",
}
"""The same on v2, of pressure and of the time on the CPU."""


@contextlib.contextmanager
def cgroups_at_work() -> Iterator[dict[str, str]]:
    """Cgroups by their path, and what each is called here."""
    with own_pods("cadvisor") as top, tempfile.NamedTemporaryFile(dir="/var/tmp") as file, ExitStack() as stack:
        busy, idle, killed = (container_path(top, 1, number) for number in (1, 2, 3))
        for path in (busy, idle, killed):
            make(path)
        for path in (top, pod_path(top, 1), busy, idle, killed):
            make_further(path, stack)
        limit_cpu(busy, 20_000, 100_000)
        limit_memory(busy, 128 * MIB)
        limit_memory(killed, 32 * MIB)
        count_transfers(busy, file.name)
        for path, script, said in ((busy, WORK, "at work"), (idle, IDLE, "idle")):
            process = stack.enter_context(working_in(path, script, file.name))
            assert told(process) == said
            for hierarchy in FURTHER:
                (CGROUPS / hierarchy / path.strip("/") / "cgroup.procs").write_text(str(process.pid))
        assert stack.enter_context(working_in(killed, DEVOUR)).wait() == -SIGKILL
        yield {top: "top", pod_path(top, 1): "pod", busy: "busy", idle: "idle", killed: "killed", "/": "/"}


def make_further(path: str, stack: ExitStack) -> None:
    """As container engines do: cAdvisor looks for processes in `devices`, and in `cpuset` for where memory may be."""
    for hierarchy in FURTHER:
        folder = CGROUPS / hierarchy / path.strip("/")
        folder.mkdir()
        stack.callback(folder.rmdir)
        for name in ("cpuset.cpus", "cpuset.mems") if hierarchy == "cpuset" else ():
            (folder / name).write_bytes((folder.parent / name).read_bytes())


def count_transfers(path: str, file: str) -> None:
    """v1 counts what a cgroup moves to and from a disk from the first limit on, so there is one that limits nothing."""
    device = Path(file).stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    if Path(f"/sys/dev/block/{number}/queue").exists():  # a whole disk
        limits = CGROUPS / "blkio" / path.strip("/") / "blkio.throttle.read_bps_device"
        limits.write_text(f"{number} {1 << 40}")


@pytest.fixture(scope="module")
def called() -> Iterator[Mapping[str, str]]:
    with cgroups_at_work() as cgroups:
        yield cgroups


@pytest.fixture(scope="module")
def live(called: Mapping[str, str]) -> Sequence[Round]:
    """This machine, scraped a few times, with all that either can publish."""
    everything = [f"--collector.{name}" for name in catalog.CGROUP]
    with side_by_side(called, next(iter(called)), everything, EVERYTHING) as pair:
        return [pair.round() for _ in range(ROUNDS)]


def test_names_labels_and_types_are_the_same(live: Sequence[Round]) -> None:
    """No series of one that the other lacks, but for what came or went in that moment."""
    found = set.intersection(*(only_in_one(side, each.theirs) for each in live for side in (each.before, each.after)))
    assert len(live[0].theirs) > 50
    assert unexplained(found, {**DIFFERENCES, **SOMETIMES}) == []
    assert gone(found, DIFFERENCES) == []


def test_values_are_the_same(live: Sequence[Round]) -> None:
    """In one round at least; those of a counter in every round."""
    kinds = {name: metric.kind for each in live for name, metric in each.theirs.items()}
    found = [dict(beyond(each)) for each in live]
    every = set.intersection(*(set(each) for each in found))
    lines = {each[series] for each in found for series in each if series in every or kinds[series[0]] == "counter"}
    assert unexplained(lines, {**OTHER_VALUES, **SOMETIMES}) == []
    assert gone(lines, OTHER_VALUES) == []


def test_the_same_is_published_by_default(called: Mapping[str, str]) -> None:
    """Who replaces cAdvisor and says nothing else finds what was there, but for lines of a table."""
    with side_by_side(called, next(iter(called))) as pair:
        each = pair.round()
    found = only_in_one(each.before, each.theirs) & only_in_one(each.after, each.theirs)
    assert unexplained(found, {**DIFFERENCES, **SOMETIMES, **OTHER_DEFAULTS}) == []
    assert gone(found, OTHER_DEFAULTS) == []


def test_pressure_is_the_same() -> None:
    """And the time on the CPU, on v2: one that stands beside v1 has these as well, for they take no controller."""
    with own_cgroup(UNIFIED) as folder, working_in(folder, RIVAL) as first, working_in(folder, RIVAL) as second:
        assert told(first) == told(second) == "running"
        called = {"/": "/", f"/{folder.name}": "rivals"}
        with side_by_side(called, f"/{folder.name}", v2=str(UNIFIED) if is_v1() else "") as pair:
            rounds = [Round(*(of_v2(side) for side in pair.round())) for _ in range(ROUNDS)]
    found = set.intersection(*(only_in_one(side, each.theirs) for each in rounds for side in (each.before, each.after)))
    assert len(rounds[0].theirs) == 9
    assert unexplained(found, OF_V2) == []
    assert gone(found, OF_V2) == []
    assert [line for each in rounds for line in beyond(each)] == []


def of_v2(metrics: Metrics) -> Metrics:
    """Those that a cgroup of v2 has without controllers."""
    return {name: metric for name, metric in metrics.items() if WITHOUT_CONTROLLERS.match(name)}


def only_in_one(ours: Metrics, theirs: Metrics) -> set[str]:
    """The differences that are not in a value."""
    return set(differences(ours, theirs, absolute=math.inf))


def unexplained(found: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """The differences that no pattern of a table explains."""
    return sorted(line for line in found if not any(re.fullmatch(pattern, line) for pattern in known))


def gone(found: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """The patterns of a table that explain nothing any more."""
    return [pattern for pattern in known if not any(re.fullmatch(pattern, line) for line in found)]


Series = tuple[str, Labels]


def beyond(each: Round) -> Iterator[tuple[Series, str]]:
    """The series whose value is neither between our two readings nor near them, and a line that says so."""
    for name, metric in each.theirs.items():
        sides = [side[name].samples for side in (each.before, each.after) if name in side]
        for labels, value in added_up(name, metric).items():
            readings = [samples[labels] for samples in sides if labels in samples]
            spare = SPARE * abs(value) + (OBSERVERS if ("id", "/") in labels and OBSERVED.match(name) else 0)
            if readings and not min(readings) - spare <= value <= max(readings) + spare:
                shown = ",".join(f'{key}="{label}"' for key, label in sorted(labels))
                yield (
                    (name, labels),
                    f"{name}{{{shown}}}: {value:.12g}, ours {', '.join(f'{each:.12g}' for each in readings)}",
                )


def added_up(name: str, metric: Published) -> Mapping[Labels, float]:
    """Their samples; of the time on each CPU, the sum, which is what we publish."""
    if name != "container_cpu_usage_seconds_total":
        return metric.samples
    sums: dict[Labels, float] = {}
    for labels, value in metric.samples.items():
        total = frozenset(("cpu", "total") if key == "cpu" else (key, label) for key, label in labels)
        sums[total] = sums.get(total, 0.0) + value
    return sums
