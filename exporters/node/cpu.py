"""Time of each CPU by mode, from /proc/stat; which CPUs there are, and what they are, where that is asked for.

Counters are held up where the kernel lets them go back (idle and iowait do, a little). An idle time that
falls by three seconds or more means a CPU that was taken away and came back: its counters start anew.
Format: proc(5), Documentation/filesystems/proc.rst of the kernel.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Labels, Malformed, Sample, counter, required
from exporters.host import Host
from exporters.options import Pattern, option
from exporters.readers.cpuinfo import CpuInfo
from exporters.readers.cputopology import Topology

SECONDS = counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", "cpu", "mode")
GUEST = counter("node_cpu_guest_seconds_total", "Seconds the CPUs spent in guests (VMs) for each mode.", "cpu", "mode")

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
GUEST_MODES = ("user", "nice")
COLUMNS = len(MODES) + len(GUEST_MODES)
IDLE = MODES.index("idle")
HIGHEST = (1 << 64) - 1
HOTPLUG_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Options:
    """What is published beside the times. To include flags or bugs switches `info` on."""

    guest: bool = option(True, "Publish the time that CPUs spent in guests.")
    info: bool = option(False, "Publish what /proc/cpuinfo says of each CPU.")
    flags_include: Pattern | None = option(
        None, "Flags of the CPU to publish; implies info.", flag="collector.cpu.info.flags-include"
    )
    bugs_include: Pattern | None = option(
        None, "Bugs of the CPU to publish; implies info.", flag="collector.cpu.info.bugs-include"
    )


class _Times:
    """The highest times seen of one CPU, and the labels of its samples."""

    __slots__ = ("guest_labels", "labels", "values")

    def __init__(self, cpu: str) -> None:
        self.labels: list[Labels] = [(cpu, mode) for mode in MODES]
        self.guest_labels: list[Labels] = [(cpu, mode) for mode in GUEST_MODES]
        self.values: list[float] = [0.0] * COLUMNS

    def take(self, values: list[float]) -> list[float]:
        """The values to publish now."""
        old = self.values
        if old[IDLE] - values[IDLE] < HOTPLUG_SECONDS:
            values = list(map(max, old, values))
        self.values = values
        return values


class Cpu:
    """Reads /proc/stat at each scrape, and what `options` ask for."""

    def __init__(
        self, host: Host, options: Options | None = None, ticks_a_second: int = os.sysconf("SC_CLK_TCK")
    ) -> None:
        chosen = options if options is not None else Options()
        self._stat = host.proc.keep("stat")
        self._ticks = ticks_a_second
        self._guest = chosen.guest
        self._times: dict[str, _Times] = {}
        self._topology = Topology(host)
        flags, bugs = _given(chosen.flags_include), _given(chosen.bugs_include)
        self._info = CpuInfo(host, flags, bugs) if chosen.info or flags or bugs else None

    def collect(self, now: float) -> Iterator[Family]:
        samples: list[Sample] = []
        guests: list[Sample] = []
        self._times = self._read(samples, guests)
        yield SECONDS.family(samples)
        if self._guest:
            yield GUEST.family(guests)
        yield from self._topology.collect()
        if self._info is not None:
            yield from self._info.collect()

    def _read(self, samples: list[Sample], guests: list[Sample]) -> dict[str, _Times]:
        """Add the samples of all CPUs that are online; their times replace those kept, so that others are forgotten."""
        text = required(self._stat.read_record())
        times: dict[str, _Times] = {}
        # the CPUs stand first; the line of interrupts that follows goes on with thousands of numbers
        for number, line in enumerate(text.partition("\nintr")[0].splitlines(), 1):
            if not line.startswith("cpu"):
                break
            if line.startswith("cpu "):
                continue
            cpu, seconds = self._parse(number, line)
            if cpu in times or not cpu.isdigit():
                raise Malformed(self._stat.path, number, "one line for each CPU's number", line)
            mine = times[cpu] = self._times.get(cpu) or _Times(cpu)
            values = mine.take(seconds)
            samples += zip(mine.labels, values, strict=False)
            guests += zip(mine.guest_labels, values[len(MODES) :], strict=True)
        if not samples:
            raise Malformed(self._stat.path, 1, "a line for each CPU, such as `cpu0 1 2 3 …`")
        return times

    def _parse(self, number: int, line: str) -> tuple[str, list[float]]:
        """The CPU's name without `cpu`, and its seconds by mode."""
        name, *words = line.split(None, COLUMNS + 1)
        try:
            ticks = [*map(int, words[:COLUMNS])]
        except ValueError as error:
            raise Malformed(self._stat.path, number, "numbers after the CPU's name", line) from error
        if len(ticks) <= IDLE:
            raise Malformed(self._stat.path, number, "four numbers or more after the CPU's name", line)
        if min(ticks) < 0 or max(ticks) > HIGHEST:
            raise Malformed(self._stat.path, number, "numbers of 64 bits after the CPU's name", line)
        a_second = self._ticks
        seconds = [of / a_second for of in ticks]
        seconds += [0.0] * (COLUMNS - len(seconds))  # kernels before 2.6.33 have fewer
        return name[3:], seconds


def _given(pattern: Pattern | None) -> Pattern | None:
    """A pattern that was set; an empty one stands for none."""
    return pattern if pattern is not None and pattern.pattern else None
