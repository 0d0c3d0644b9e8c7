"""What each CPU is and how fast it runs, from /proc/cpuinfo: off by default, reading it may take milliseconds.

Each architecture has names of its own for the same things, and its own order; see `show_cpuinfo` below arch/ of the
kernel. Lines before the first CPU hold for all; a block without a CPU, as at the end on POWER, counts for its flags
alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exporters.collector import Family, Malformed, Sample, gauge, required, whole
from exporters.host import Host
from exporters.options import Pattern
from exporters.readers.cputopology import FOLDER, cpus_of

LABELS = ("package", "core", "cpu", "vendor", "family", "model", "model_name", "microcode", "stepping", "cachesize")

INFO = gauge("node_cpu_info", "What a CPU is, from /proc/cpuinfo.", *LABELS)
FREQUENCY = gauge(
    "node_cpu_frequency_hertz", "Frequency of a CPU in hertz, from /proc/cpuinfo.", "package", "core", "cpu"
)
FLAG = gauge("node_cpu_flag_info", "Flags of the first CPU, from /proc/cpuinfo.", "flag")
BUG = gauge("node_cpu_bug_info", "Bugs of the first CPU, from /proc/cpuinfo.", "bug")

FIELDS = {
    **dict.fromkeys(("vendor_id", "vendor", "system type", "cpu"), "vendor"),  # x86 and s390, MIPS, POWER
    **dict.fromkeys(("cpu family", "CPU Family"), "family"),
    "model": "model",
    **dict.fromkeys(("model name", "Model Name", "Processor", "cpu model", "isa"), "model_name"),  # ARM, MIPS, RISC-V
    "microcode": "microcode",
    "stepping": "stepping",
    "cache size": "cachesize",
    "physical id": "package",
    **dict.fromkeys(("core id", "hart"), "core"),
    **dict.fromkeys(("cpu MHz", "cpu MHz dynamic", "clock"), "frequency"),
    **dict.fromkeys(("flags", "Features", "features"), "flags"),
    "bugs": "bugs",
}
"""Name in the file → label, or what else it is."""

_MEGAHERTZ = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_S390_CPU = re.compile(r"processor (\d+)", re.ASCII)


@dataclass(slots=True)
class Cpus:
    """A parsed file: what it says of each CPU by number, and the words of all."""

    by_number: dict[str, dict[str, str]] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)


class CpuInfo:
    """Reads the file at each scrape: the frequencies are of the moment."""

    def __init__(self, host: Host, flags: Pattern | None, bugs: Pattern | None) -> None:
        self._file = host.proc.keep("cpuinfo")
        self._flags = flags
        self._bugs = bugs
        self._tree = host.sys
        self._tells_frequency: bool | None = None

    def collect(self) -> Iterator[Family]:
        """Raises NoData, Malformed."""
        cpus = parse(required(self._file.read()), self._file.path)
        yield INFO.family([(tuple(of.get(label, "") for label in LABELS), 1) for of in cpus.by_number.values()])
        if self._is_to_tell_frequency():
            yield FREQUENCY.family(list(_frequencies(cpus.by_number)))
        if self._flags is not None:
            yield FLAG.family([((flag,), 1) for flag in cpus.flags if self._flags.search(flag)])
        if self._bugs is not None:
            yield BUG.family([((bug,), 1) for bug in cpus.bugs if self._bugs.search(bug)])

    def _is_to_tell_frequency(self) -> bool:
        """Where cpufreq knows the frequencies, its collector publishes them under the same name and other labels."""
        if self._tells_frequency is None:
            files = (f"{FOLDER}/cpu{cpu}/cpufreq/cpuinfo_cur_freq" for cpu in cpus_of(self._tree))
            self._tells_frequency = not any(isinstance(self._tree.read(file), bytes) for file in files)
        return self._tells_frequency


def _frequencies(by_number: Mapping[str, Mapping[str, str]]) -> Iterator[Sample]:
    """In hertz, of the CPUs whose frequency is told."""
    for of in by_number.values():
        if matched := _MEGAHERTZ.search(of.get("frequency", "")):
            yield (of.get("package", ""), of.get("core", ""), of["cpu"]), float(matched.group()) * 1e6


def parse(text: str, path: str) -> Cpus:
    """All CPUs of a file. Raises Malformed."""
    cpus = Cpus()
    common: dict[str, str] = {}
    current = common
    for number, line in enumerate(text.splitlines(), 1):
        key, colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if not colon:
            current = {}
        elif (cpu := _cpu(key, value)) is not None:
            current = _known(cpus, cpu, common, path, number)
        elif what := FIELDS.get(key):
            _note(cpus, current, what, value)
    if not cpus.by_number:
        raise Malformed(path, 0, "a line `processor : 0` for each CPU")
    return cpus


def _cpu(key: str, value: str) -> str | None:
    """The number of the CPU that the following lines are about, if this line is the first of one."""
    if key in ("processor", "cpu number"):
        return value
    matched = _S390_CPU.fullmatch(key)
    return matched.group(1) if matched else None


def _known(cpus: Cpus, cpu: str, common: Mapping[str, str], path: str, line: int) -> dict[str, str]:
    try:
        name = str(whole(cpu))
    except ValueError as error:
        raise Malformed(path, line, "a number after processor", cpu) from error
    return cpus.by_number.setdefault(name, {**common, "cpu": name})


def _note(cpus: Cpus, current: dict[str, str], what: str, value: str) -> None:
    if what == "flags":
        cpus.flags = cpus.flags or list(dict.fromkeys(value.split()))
    elif what == "bugs":
        cpus.bugs = cpus.bugs or list(dict.fromkeys(value.split()))
    else:
        current[what] = value
