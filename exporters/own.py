"""What the exporter publishes of itself: its build and its process, under the names that dashboards expect."""

import os
import resource
import sys
from collections.abc import Iterator

from exporters.collector import Family, counter, gauge
from exporters.host import KeptFile, Unreadable
from fenghuo import __version__

BUILD_LABELS = ("branch", "goarch", "goos", "goversion", "revision", "version")
NODE_BUILD_INFO = gauge(
    "node_exporter_build_info",
    "Always 1; dashboards find their instances by it. The labels are node_exporter's, the program is fenghuo.",
    *BUILD_LABELS,
)
BUILD_INFO = gauge("fenghuo_build_info", "Always 1; the labels tell what runs.", "product", "version", "pythonversion")

CPU = counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
RESIDENT = gauge("process_resident_memory_bytes", "Resident memory size in bytes.")
VIRTUAL = gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.")
VIRTUAL_MAX = gauge("process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.")
OPEN = gauge("process_open_fds", "Number of open file descriptors.")
OPEN_MAX = gauge("process_max_fds", "Maximum number of open file descriptors.")
STARTED = gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")

_UNLIMITED = float(2**64 - 1)
"""What Go's client publishes for no limit."""


class BuildInfo:
    """Two constant families."""

    def __init__(self, *, node: bool) -> None:
        self._node = node

    def collect(self, now: float) -> Iterator[Family]:
        python = sys.version.partition(" ")[0]
        if self._node:
            machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
            yield NODE_BUILD_INFO.family([(("fenghuo", machine, "linux", f"python{python}", "", __version__), 1)])
        yield BUILD_INFO.family([(("exporter", __version__, python), 1)])


class Process:
    """This process, from its own /proc/self: never the one that is collected from, which may be another's."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._statm = KeptFile("/proc/self/statm")
        self._page = os.sysconf("SC_PAGE_SIZE")

    def collect(self, now: float) -> Iterator[Family]:
        used = os.times()
        yield CPU.single(used.user + used.system)
        content = self._statm.read_record()
        if not isinstance(content, Unreadable):
            virtual, resident, *_ = content.split()
            yield VIRTUAL.single(int(virtual) * self._page)
            yield RESIDENT.single(int(resident) * self._page)
        yield VIRTUAL_MAX.single(_limit(resource.RLIMIT_AS))
        yield OPEN.single(_open_files())
        yield OPEN_MAX.single(_limit(resource.RLIMIT_NOFILE))
        yield STARTED.single(self._started_at)


def _open_files() -> int:
    """Kernels from 6.2 tell the number as the folder's size; listing thousands of kept files costs milliseconds."""
    size = os.stat("/proc/self/fd").st_size  # noqa: PTH116 - no Path objects in the scrape's way
    return size or len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - less the one that lists


def _limit(which: int) -> float:
    soft = resource.getrlimit(which)[0]
    return _UNLIMITED if soft == resource.RLIM_INFINITY else float(soft)
