"""How fast each CPU runs, may run and is meant to run, and which governor decides, from cpufreq in /sys.

CPUs of one policy share its files, which are read once. Some drivers take 20 ms for a reading, since they ask the
CPU itself. Files: Documentation/admin-guide/pm/cpufreq.rst of the kernel; kilohertz become hertz.
"""

from collections.abc import Iterable, Iterator

from exporters.collector import Family, Labels, Sample, gauge, optional
from exporters.host import Host, Tree, Unreadable
from exporters.readers.cputopology import FOLDER, cpu_list, cpus_of
from exporters.readers.sysfs import Attributes

FREQUENCIES = {
    "cpuinfo_cur_freq": gauge("node_cpu_frequency_hertz", "Frequency that the CPU runs at.", "cpu"),
    "cpuinfo_avg_freq": gauge("node_cpu_frequency_avg_hertz", "Mean frequency of the CPU.", "cpu"),
    "cpuinfo_min_freq": gauge("node_cpu_frequency_min_hertz", "Lowest frequency that the CPU is able of.", "cpu"),
    "cpuinfo_max_freq": gauge("node_cpu_frequency_max_hertz", "Highest frequency that the CPU is able of.", "cpu"),
    "scaling_cur_freq": gauge("node_cpu_scaling_frequency_hertz", "Frequency that the kernel has chosen.", "cpu"),
    "scaling_min_freq": gauge("node_cpu_scaling_frequency_min_hertz", "Lowest frequency the kernel may choose.", "cpu"),
    "scaling_max_freq": gauge(
        "node_cpu_scaling_frequency_max_hertz", "Highest frequency the kernel may choose.", "cpu"
    ),
}
GOVERNOR = gauge("node_cpu_scaling_governor", "Whether a governor chooses the frequency.", "cpu", "governor")


_GOVERNOR, _GOVERNORS = "scaling_governor", "scaling_available_governors"


class CpuFreq:
    """Finds the policies at start and when CPUs go on- or offline.

    A driver may be loaded late, so a machine without frequencies costs one look for the first CPU's a scrape.
    """

    def __init__(self, host: Host) -> None:
        self._tree = host.sys
        self._list = host.sys.keep(f"{FOLDER}/offline")
        self._offline: str | None = None
        self._first = ""
        self._policies: list[_Policy] = []

    def collect(self, now: float) -> Iterator[Family]:
        policies = self._current()
        if not policies:
            return
        found = False
        for name, metric in FREQUENCIES.items():
            samples = [sample for policy in policies for sample in policy.frequency(name)]
            found = found or bool(samples)
            yield metric.family(samples)
        governors = [sample for policy in policies for sample in policy.governors()]
        yield GOVERNOR.family(governors)
        if not found and not governors:
            self._offline = None  # the driver was unloaded: look anew

    def _current(self) -> list["_Policy"]:
        offline = optional(self._list.read_record())
        if offline != self._offline or (not self._policies and self._first_has_one()):
            self._offline = offline
            self._find(set(cpu_list(offline)))
        return self._policies

    def _first_has_one(self) -> bool:
        return not isinstance(self._tree.status(self._first), Unreadable)

    def _find(self, offline: set[str]) -> None:
        cpus = [cpu for cpu in cpus_of(self._tree) if cpu not in offline]
        self._first = f"{FOLDER}/cpu{cpus[0] if cpus else 0}/cpufreq"
        cpus_by_folder: dict[str, list[str]] = {}
        for cpu in cpus:
            folder = self._tree.resolved(f"{FOLDER}/cpu{cpu}/cpufreq")
            if isinstance(folder, str):
                cpus_by_folder.setdefault(folder, []).append(cpu)
        for policy in self._policies:
            policy.close()
        self._policies = [_Policy(self._tree, of) for of in cpus_by_folder.values()]


class _Policy:
    """The files that some CPUs share; those that were not there when it was made are not asked for."""

    def __init__(self, tree: Tree, cpus: list[str]) -> None:
        folder = f"{FOLDER}/cpu{cpus[0]}/cpufreq"
        names = tree.names(folder)
        self._names = frozenset(() if isinstance(names, Unreadable) else names)
        self._attributes = Attributes(tree, folder)
        self._cpus = cpus
        self._labels: list[Labels] = [(cpu,) for cpu in cpus]

    def close(self) -> None:
        self._attributes.close()

    def frequency(self, name: str) -> Iterable[Sample]:
        """The frequency in a file, for each CPU; nothing when the driver does not tell it."""
        kilohertz = self._attributes.count(name) if name in self._names else None
        if kilohertz is None:
            return ()
        return [(labels, kilohertz * 1000.0) for labels in self._labels]

    def governors(self) -> Iterable[Sample]:
        """Each governor that there is, for each CPU; 1 for the one that decides."""
        chosen = self._attributes.text(_GOVERNOR) if _GOVERNOR in self._names else None
        if not chosen:
            return ()
        names = dict.fromkeys((self._attributes.text(_GOVERNORS) or "").split())
        return [((cpu, name), float(name == chosen)) for cpu in self._cpus for name in names]
