"""Real processes that burn a known time, with and without a quota: the kernel's counters come out as they should."""

import json
import os
from collections.abc import Iterator

import pytest

from exporters.cgroups.tree.rows import KEEP_LIMITS
from tests.stack.cgroups import (
    CPU_BURST,
    CPU_SHARES,
    CPU_STAT,
    container_path,
    file_of,
    go_on,
    is_v1,
    limit_cpu,
    make,
    numbers_in,
    own_collector,
    own_pods,
    pod_path,
    series_of,
    told,
    working_in,
)
from tests.stack.servers.waiting import wait_until

pytestmark = pytest.mark.stack

CFS = "container_cpu_cfs_"
MICROSECONDS = 1_000_000
QUOTA, PERIOD = 20_000, 100_000
NO_QUOTA = -1 if is_v1() else "max"
MOST = 262_144 if is_v1() else 10_000
"""The highest shares, and the highest weight."""

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds of which v1 tells whole ones of user and system time."""

BURN = """
import json, resource, time
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"total": time.process_time(), "user": used.ru_utime, "system": used.ru_stime}
before = spent()
while time.process_time() - before["total"] < float(sys.argv[2]): pass
zeros, nowhere = open("/dev/zero", "rb", buffering=0), bytearray(1 << 24)
while resource.getrusage(resource.RUSAGE_SELF).ru_stime - before["system"] < float(sys.argv[3]): zeros.readinto(nowhere)
print(json.dumps({key: value - before[key] for key, value in spent().items()}), flush=True)
sys.stdin.read()
"""

CROWD = """
import resource, threading, time
start = time.process_time()
def burn():
    end = time.thread_time() + float(sys.argv[2])
    while time.thread_time() < end: pass
threads = [threading.Thread(target=burn) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for _ in range(3):
    if os.fork() == 0:
        burn()
        os._exit(0)
    os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.process_time() - start + used.ru_utime + used.ru_stime, flush=True)
sys.stdin.read()
"""

SAVE_UP = """
import time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
for _ in range(8):
    burn(0.002)  # a timer counts periods only while somebody works
    time.sleep(0.1)
burn(0.035)
print("done", flush=True)
sys.stdin.read()
"""

STRIVE = """
import json, time
os.sched_setaffinity(0, {int(sys.argv[2])})
print("ready", flush=True)
sys.stdin.readline()
began = last = time.monotonic()
before, gaps = time.process_time(), []
while last < began + float(sys.argv[3]):
    now = time.monotonic()
    if now - last > 0.02: gaps.append(now - last)
    last = now
print(json.dumps({"cpu": time.process_time() - before, "elapsed": last - began, "gaps": gaps}), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def pods() -> Iterator[str]:
    with own_pods() as top:
        yield top


def at_rest(path: str) -> dict[str, int]:
    """The cgroup's cpu.stat when no period is counted any more: the kernel's timer ends one or two after the work."""
    seen: list[dict[str, int]] = []

    def is_still() -> bool:
        seen.append(numbers_in(path, CPU_STAT))
        return len(seen) > 1 and seen[-1] == seen[-2]

    wait_until(is_still, "the last period to end", every=2.5 * PERIOD / MICROSECONDS)
    return seen[-1]


def test_the_time_that_a_process_burns(pods: str) -> None:
    """All of it, as user and as system, within 2 % of what the process was told of itself; the pod's is the sum.

    User and system are told in whole ticks, and the kernel divides them by what it meets at its own.
    """
    first, second = container_path(pods, 1, 1), container_path(pods, 1, 2)
    make(first)
    make(second)
    cpu = own_collector("cgroup.cpu")
    before = series_of(cpu, first)
    with working_in(first, BURN, "1.5", "1.0") as busy, working_in(second, BURN, "1.5", "1.0") as other:
        spent, besides = json.loads(told(busy)), json.loads(told(other))
        after, beside, pod = (series_of(cpu, path) for path in (first, second, pod_path(pods, 1)))
    for kind, name in (("total", "usage"), ("user", "user"), ("system", "system")):
        metric = f"container_cpu_{name}_seconds_total"
        rounded = 0.0 if kind == "total" else 2 * TICK
        assert after[metric] - before[metric] == pytest.approx(spent[kind], abs=0.02 * spent[kind] + rounded), metric
        assert beside[metric] == pytest.approx(besides[kind], abs=0.02 * besides[kind] + rounded), metric
        assert pod[metric] == pytest.approx(after[metric] + beside[metric], abs=2 * TICK), metric


def test_time_of_threads_and_of_children_that_ended(pods: str) -> None:
    """What a process' threads used, and what its children used, who are gone: within 2 % of what it knows of both."""
    path = container_path(pods, 1, 1)
    make(path)
    with working_in(path, CROWD, "0.5") as process:
        used = float(told(process))
        assert series_of(own_collector("cgroup.cpu"), path)["container_cpu_usage_seconds_total"] == pytest.approx(
            used, rel=0.02
        )


def test_a_process_under_a_quota(pods: str) -> None:
    """A fifth of one processor: each period it works 20 ms and waits for 80 ms, and sees the gaps itself."""
    path = container_path(pods, 1, 1)
    make(path)
    limit_cpu(path, QUOTA, PERIOD)
    for shared in (pods, pod_path(pods, 1), path):  # so that it has the processor at once whenever the quota allows
        file_of(shared, CPU_SHARES).write_text(str(MOST))
    cpu = own_collector("cgroup.cpu")
    with working_in(path, STRIVE, str(min(os.sched_getaffinity(0))), "3") as process:
        assert told(process) == "ready"
        at_first, before = at_rest(path), series_of(cpu, path)
        seen = json.loads(go_on(process))
        kernel, after = at_rest(path), series_of(cpu, path)
    grown = {name.removeprefix(CFS): after[name] - before[name] for name in after if name.startswith(CFS)}
    assert grown["periods_total"] == kernel["nr_periods"] - at_first["nr_periods"]
    assert grown["throttled_periods_total"] == kernel["nr_throttled"] - at_first["nr_throttled"]
    assert grown["periods_total"] == pytest.approx(seen["elapsed"] * MICROSECONDS / PERIOD, abs=3)
    assert grown["throttled_periods_total"] == pytest.approx(len(seen["gaps"]), abs=1)
    assert grown["throttled_seconds_total"] == pytest.approx(sum(seen["gaps"]), rel=0.02)
    assert after["container_cpu_usage_seconds_total"] - before["container_cpu_usage_seconds_total"] == pytest.approx(
        seen["cpu"], rel=0.02, abs=QUOTA / MICROSECONDS / 4
    )


def test_limits_are_told_as_they_were_set(pods: str) -> None:
    """Quota and period in microseconds; shares are a weight on v2, told as the shares that a runtime makes it of."""
    path = container_path(pods, 1, 1)
    make(path)
    limit_cpu(path, 34_567, 50_000)
    file_of(path, CPU_SHARES).write_text("512" if is_v1() else "20")
    samples = series_of(own_collector("cgroup.cpu"), path)
    assert samples["container_spec_cpu_quota"] == 34_567
    assert samples["container_spec_cpu_period"] == 50_000
    assert samples["container_spec_cpu_shares"] == (512 if is_v1() else 500)


def test_without_a_quota_nothing_is_throttled(pods: str) -> None:
    """Neither series of periods nor a quota; and none any longer soon after the quota is taken away."""
    path = container_path(pods, 1, 1)
    make(path)
    cpu = own_collector("cgroup.cpu")
    assert not quota_series(series_of(cpu, path))
    limit_cpu(path, QUOTA, PERIOD)
    assert len(quota_series(series_of(cpu, path, later=KEEP_LIMITS))) > 3
    limit_cpu(path, NO_QUOTA, PERIOD)
    assert not quota_series(series_of(cpu, path, later=2 * KEEP_LIMITS))


def test_the_quota_of_a_pod_is_counted_there(pods: str) -> None:
    """Its container waits as well, but has no quota of its own that made it."""
    pod, path = pod_path(pods, 1), container_path(pods, 1, 1)
    make(path)
    limit_cpu(pod, QUOTA, PERIOD)
    cpu = own_collector("cgroup.cpu")
    with working_in(path, STRIVE, str(min(os.sched_getaffinity(0))), "1") as process:
        assert told(process) == "ready"
        assert json.loads(go_on(process))["gaps"]
        kernel = at_rest(pod)
    assert series_of(cpu, pod)[f"{CFS}throttled_periods_total"] == kernel["nr_throttled"] > 5
    assert not quota_series(series_of(cpu, path))


def test_a_burst_above_the_quota(pods: str) -> None:
    """Quota that was saved up is used in one period, which is told with the time above the quota."""
    path = container_path(pods, 1, 1)
    make(path)
    limit_cpu(path, QUOTA, PERIOD)
    file_of(path, CPU_BURST).write_text(str(QUOTA))
    with working_in(path, SAVE_UP) as process:
        assert told(process) == "done"
        kernel, samples = at_rest(path), series_of(own_collector("cgroup.cpu"), path)
    assert samples[f"{CFS}burst_periods_total"] == kernel["nr_bursts"] >= 1
    assert 0 < samples[f"{CFS}burst_seconds_total"] <= kernel["nr_bursts"] * QUOTA / MICROSECONDS


def quota_series(samples: dict[str, float]) -> list[str]:
    """The series of `samples` that only a cgroup with a quota has."""
    return [name for name in samples if name.startswith(CFS) or name == "container_spec_cpu_quota"]
