"""Time of each CPU by mode, from /proc/stat; isolated CPUs and thermal throttling, from /sys.

Counters are held up where the kernel lets them go back (idle and iowait do, a little). An idle time that
falls by three seconds or more means a CPU that was taken away and came back: its counters start anew.
"""

import os
from collections.abc import Iterator

from exporters.collector import Family, Labels, Malformed, Sample, counter, gauge, optional, required, whole
from exporters.host import Host, KeptFile, Unreadable

SECONDS = counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", "cpu", "mode")
GUEST = counter("node_cpu_guest_seconds_total", "Seconds the CPUs spent in guests (VMs) for each mode.", "cpu", "mode")
ISOLATED = gauge("node_cpu_isolated", "Whether a CPU is isolated from the scheduler.", "cpu")
CORE_THROTTLES = counter(
    "node_cpu_core_throttles_total", "Number of times this CPU core has been throttled.", "package", "core"
)
PACKAGE_THROTTLES = counter(
    "node_cpu_package_throttles_total", "Number of times this CPU package has been throttled.", "package"
)

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
GUEST_MODES = ("user", "nice")
IDLE = MODES.index("idle")
HOTPLUG_SECONDS = 3.0


class _Times:
    """The highest times seen of one CPU, and the labels of its samples."""

    __slots__ = ("guest_labels", "labels", "values")

    def __init__(self, cpu: str) -> None:
        self.labels: list[Labels] = [(cpu, mode) for mode in MODES]
        self.guest_labels: list[Labels] = [(cpu, mode) for mode in GUEST_MODES]
        self.values: list[float] = []

    def take(self, values: list[float]) -> list[float]:
        """The values to publish now."""
        old = self.values
        if len(old) == len(values) and old[IDLE] - values[IDLE] < HOTPLUG_SECONDS:
            values = list(map(max, old, values))
        self.values = values
        return values


class Cpu:
    """Reads /proc/stat at each scrape, and the throttle counters of CPUs that have them."""

    def __init__(self, host: Host, ticks_a_second: int = os.sysconf("SC_CLK_TCK")) -> None:
        self._stat = host.proc.keep("stat")
        self._ticks = ticks_a_second
        self._times: dict[str, _Times] = {}
        self._throttles = Throttles(host)
        self._isolated = cpu_list(optional(host.sys.read("devices/system/cpu/isolated")))

    def collect(self, now: float) -> Iterator[Family]:
        samples: list[Sample] = []
        guests: list[Sample] = []
        for number, line in enumerate(required(self._stat.read()).splitlines(), 1):
            if not line.startswith("cpu"):
                break  # the CPUs stand first
            if not line.startswith("cpu "):
                self._take(number, line, samples, guests)
        if not samples:
            raise Malformed(self._stat.path, 1, "a line for each CPU, such as `cpu0 1 2 3 …`")
        yield SECONDS.family(samples)
        yield GUEST.family(guests)
        yield ISOLATED.family([((cpu,), 1) for cpu in self._isolated])
        yield from self._throttles.collect()

    def _take(self, number: int, line: str, samples: list[Sample], guests: list[Sample]) -> None:
        name, *words = line.split()
        try:
            seconds = [whole(word) / self._ticks for word in words]
        except ValueError as error:
            raise Malformed(self._stat.path, number, "numbers after the CPU's name", line) from error
        if len(seconds) < IDLE + 1:
            raise Malformed(self._stat.path, number, "four numbers or more after the CPU's name", line)
        seconds += [0.0] * (len(MODES) + len(GUEST_MODES) - len(seconds))  # kernels before 2.6.33 have fewer
        cpu = name[3:]
        times = self._times.get(cpu)
        if times is None:
            times = self._times[cpu] = _Times(cpu)
        values = times.take(seconds)
        samples += zip(times.labels, values, strict=False)
        guests += zip(times.guest_labels, values[len(MODES) :], strict=False)


class Throttles:
    """The thermal throttle counters, one a core and one a package, found once at start."""

    def __init__(self, host: Host) -> None:
        self._cores: dict[Labels, KeptFile] = {}
        self._packages: dict[Labels, KeptFile] = {}
        base = "devices/system/cpu"
        names = host.sys.folders(base)
        for name in [] if isinstance(names, Unreadable) else names:
            package = optional(host.sys.read(f"{base}/{name}/topology/physical_package_id"))
            core = optional(host.sys.read(f"{base}/{name}/topology/core_id"))
            folder = f"{base}/{name}/thermal_throttle"
            if package and core and not isinstance(host.sys.status(folder), Unreadable):
                self._cores.setdefault((package, core), host.sys.keep(f"{folder}/core_throttle_count"))
                self._packages.setdefault((package,), host.sys.keep(f"{folder}/package_throttle_count"))

    def collect(self) -> Iterator[Family]:
        """Nothing on machines without thermal sensors, which is most virtual ones."""
        yield CORE_THROTTLES.family(_numbers(self._cores))
        yield PACKAGE_THROTTLES.family(_numbers(self._packages))


def _numbers(files: dict[Labels, KeptFile]) -> list[Sample]:
    """The number in each file; a file that is absent or holds none gives no sample."""
    texts = [(labels, optional(file.read())) for labels, file in files.items()]
    return [(labels, int(text)) for labels, text in texts if text.isascii() and text.isdigit()]


def cpu_list(text: str) -> list[str]:
    """The kernel's list format, `0-2,7`, as single numbers. A text that is none gives nothing."""
    cpus: list[str] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first.isdigit() and first.isascii() and (not dash or (last.isdigit() and last.isascii())):
            # a CPU number has at most five digits; a longer one is no list but noise
            cpus += [str(cpu) for cpu in range(int(first), min(int(last or first), 99_999) + 1)]
    return cpus
