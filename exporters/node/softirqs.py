"""Software interrupts of each vector and CPU, from /proc/softirqs.

Format: proc.rst of the kernel's Documentation/filesystems. The heading names every CPU that may be plugged in.
"""

from collections.abc import Iterator

from exporters.collector import Family, Malformed, Sample, counter, required
from exporters.host import Host
from exporters.node.interrupts import numbers_of_cpus
from exporters.readers.numbers import natural

SOFTIRQS = counter("node_softirqs_functions_total", "Software interrupts that a CPU has handled.", "cpu", "type")


class SoftIrqs:
    """Reads one table: a line a vector, a column a CPU."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("softirqs")

    def collect(self, now: float) -> Iterator[Family]:
        heading, *lines = required(self._file.read_record()).splitlines() or [""]
        cpus = numbers_of_cpus(heading)
        if not cpus:
            raise Malformed(self._file.path, 1, "a heading such as `CPU0 CPU1`", heading)
        vectors: dict[str, list[Sample]] = {}
        for number, line in enumerate(lines, 2):
            name, _, counts = line.partition(":")
            vector = name.strip()
            try:
                values = zip(cpus, map(natural, counts.split()), strict=True)
                vectors[vector] = [((cpu, vector), value) for cpu, value in values]
            except ValueError as error:
                raise Malformed(self._file.path, number, f"a vector and {len(cpus)} numbers", line) from error
        yield SOFTIRQS.family([sample for samples in vectors.values() for sample in samples])
