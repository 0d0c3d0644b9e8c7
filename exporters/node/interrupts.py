"""Interrupts of each line and CPU, from /proc/interrupts: a series for each of both, thousands on a large machine.

Between two scrapes most lines do not change, so the samples of a line are kept by its text. The CPUs are named as the
heading names them, which leaves out those that are offline.
Format: proc_interrupts(5); Documentation/filesystems/proc.rst of the kernel.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Malformed, Sample, counter, required
from exporters.host import Host
from exporters.options import NameFilter, Pattern, option
from exporters.readers.numbers import natural
from exporters.readers.sysfs import chosen

INTERRUPTS = counter("node_interrupts_total", "Interrupts that a CPU has serviced.", "cpu", "type", "info", "devices")


@dataclass(frozen=True, slots=True)
class Options:
    """Which interrupts are published. Patterns are matched with `type;info;devices`."""

    name_include: Pattern | None = option(None, "Interrupts to publish, by `type;info;devices`.")
    name_exclude: Pattern | None = option(None, "Interrupts to leave out, by `type;info;devices`.")
    include_zeros: bool = option(True, "Publish interrupts that have not come yet.")

    @property
    def names(self) -> NameFilter:
        """The filter of both patterns."""
        return chosen(self.name_include, self.name_exclude)


class Interrupts:
    """Keeps the lines of the last scrape with their samples."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._file = host.proc.keep("interrupts")
        self._options = options if options is not None else Options()
        self._names = self._options.names
        self._heading = ""
        self._known: dict[str, list[Sample]] = {}

    def collect(self, now: float) -> Iterator[Family]:
        heading, *lines = required(self._file.read()).splitlines() or [""]
        cpus = numbers_of_cpus(heading)
        if not cpus:
            raise Malformed(self._file.path, 1, "a heading such as `CPU0 CPU1`", heading)
        known = self._known if heading == self._heading else {}
        now_known: dict[str, list[Sample]] = {}
        by_type: dict[str, list[Sample]] = {}
        for number, line in enumerate(lines, 2):
            samples = known.get(line)
            if samples is None:
                samples = self._samples(number, line, cpus)
            now_known[line] = by_type[line.partition(":")[0]] = samples
        self._heading, self._known = heading, now_known
        yield INTERRUPTS.family([sample for samples in by_type.values() for sample in samples])

    def _samples(self, number: int, line: str, cpus: list[str]) -> list[Sample]:
        """` 24:  1  0  IO-APIC  5-edge  ttyS0`, or without a device `LOC:  1  0  Local timer interrupts`."""
        kind, _, rest = line.partition(":")
        words = rest.split()
        if len(words) <= len(cpus):
            return []  # ERR and MIS count for all CPUs together, and stand alone
        kind, details = kind.strip(), words[len(cpus) :]
        at = 1 if kind.isdigit() else len(details)  # a numbered interrupt tells its controller, then its devices
        labels = kind, " ".join(details[:at]), " ".join(details[at:])
        if not self._names.keeps(";".join(labels)):
            return []
        try:
            values = [natural(word) for word in words[: len(cpus)]]
        except ValueError as error:
            raise Malformed(self._file.path, number, f"{len(cpus)} numbers after the interrupt", line) from error
        return [
            ((cpu, *labels), value)
            for cpu, value in zip(cpus, values, strict=True)
            if value or self._options.include_zeros
        ]


def numbers_of_cpus(heading: str) -> list[str]:
    """The CPUs that a heading `CPU0 CPU1 …` names, each once; nothing if it is no such heading."""
    names = heading.split()
    cpus = [name.removeprefix("CPU") for name in names if name.startswith("CPU")]
    valid = len(set(cpus)) == len(names) and all(cpu.isdigit() for cpu in cpus)
    return cpus if valid else []
