"""Our exporter and Prometheus' node_exporter, side by side: names, labels, types and values are the same.

Three pairs: on the recorded trees, where every value is the same for ever; on this machine, scraped ours-theirs-ours a
few times, so that theirs must lie between; and beside Debian's older release. Every difference is in a table with its
reason, and one of the recorded trees that is gone makes its line in the table a failure.
"""

import math
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from exporters import catalog
from tests.exporters.beside import Labels, Published, differences, fetch, parse, paths_below, running
from tests.exporters.machines import recorded_machine
from tests.stack.servers.node_exporter import debians, reference

OWN = re.compile(r"^(process|go|promhttp|python|fenghuo)_|^node_exporter_build_info$|_collector_duration_seconds$")
"""What an exporter says of itself."""

E2E = [
    *("--collector.arp.device-exclude=nope", "--no-collector.arp.netlink", "--no-collector.netdev.netlink"),
    *("--collector.bcache.priorityStats", "--collector.cpu.info", "--collector.stat.softirq"),
    "--collector.cpu.info.bugs-include=^(cpu_meltdown|spectre_.*|mds)$",
    "--collector.cpu.info.flags-include=^(aes|avx.?|constant_tsc)$",
    "--collector.netclass.ignored-devices=(dmz|int)",
    *("--collector.netclass.ignore-invalid-speed", "--collector.netdev.device-exclude=^$"),
    *("--collector.sysctl.include=fs.file-nr", "--collector.sysctl.include=fs.file-nr:total,current,max"),
    *("--collector.sysctl.include-info=kernel.seccomp.actions_avail", "--collector.sysctl.include=kernel.threads-max"),
]
"""The flags of node_exporter's own end-to-end test, where both have them."""

OF_THE_MACHINE = ("filesystem", "systemd", "ethtool", "qdisc", "tcpstat", "selinux", "time", "timex", "uname")
"""Collectors that ask the running machine whatever the paths say: not compared on the recorded trees."""

ROUNDING = 1e-12
"""To divide by 1000 twice is not to divide by a million, in the last of sixteen digits."""

RECORDED_DIFFERENCES: Mapping[str, str] = {
    "node_processes_threads_state: only ours": (
        "we count a process of one thread without listing its folder of threads, which this tree does not have"
    ),
}
"""Patterns of lines of `differences` → why it is so, on the recorded trees."""

LIVE_DIFFERENCES: Mapping[str, str] = {
    r"node_(processes_state|processes_threads_state|tcp_connection_states)\{.*": (
        "a state has a series while a process, thread or connection is in it, and each exporter sees itself at work"
    ),
}
"""The same on this machine; a pattern may find nothing there, for want of the hardware."""

OLDER_DIFFERENCES: Mapping[str, str] = {
    r".*: only ours": "came with a later release of node_exporter than Debian's",
}
"""The same beside Debian's release."""


def shared(names: Iterable[str]) -> list[str]:
    """Flags that turn these collectors on, and no others."""
    return ["--collector.disable-defaults", *(f"--collector.{name}" for name in names)]


def exposed(text: str) -> dict[str, Published]:
    """An exposition without what an exporter says of itself."""
    return {name: metric for name, metric in parse(text).items() if not OWN.search(name)}


def ours(*flags: str) -> list[str]:
    """Our command line."""
    return [sys.executable, "-m", "exporters", "--collect=node", *flags]


def unexplained(found: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """The differences that no pattern of a table explains."""
    return [line for line in found if not any(re.fullmatch(pattern, line) for pattern in known)]


def test_the_recorded_trees_are_published_alike(tmp_path: Path) -> None:
    """Every collector that both have, off or on by default, with the flags of node_exporter's end-to-end test."""
    recorded_machine(tmp_path)
    textfiles = tmp_path / "textfile"
    textfiles.mkdir()
    (textfiles / "batch.prom").write_text(
        '# HELP job_seconds Time.\n# TYPE job_seconds gauge\njob_seconds{a="b"} 1.5\n'
    )
    names = [name for name in catalog.NODE if name not in OF_THE_MACHINE]
    flags = [*shared(names), *E2E, f"--collector.textfile.directory={textfiles}", *paths_below(tmp_path)]
    with running(ours(*flags)) as mine, running([str(reference()), *flags]) as other:
        fetch(mine), fetch(other)  # what counts are files that are kept open, and what was learnt of them
        published = exposed(fetch(mine))
        found = list(differences(published, exposed(fetch(other)), relative=ROUNDING))

    assert len(published) > 1000
    assert unexplained(found, RECORDED_DIFFERENCES) == []
    assert [pattern for pattern in RECORDED_DIFFERENCES if not any(re.fullmatch(pattern, line) for line in found)] == []


Round = tuple[Mapping[str, Published], Mapping[str, Published], Mapping[str, Published]]
"""What was scraped in a moment: by us, by node_exporter, by us again."""
ROUNDS = 10
"""What goes up and down may lie beyond our two readings, but not each time."""
OBSERVED = re.compile(r"node_(filefd_allocated|procs_running|processes_\w+|sockstat_\w+|tcp_connection_states)")
"""What a scrape itself changes: it opens files and sockets, and runs threads. A difference of a few is no error."""


@pytest.fixture(scope="module")
def live() -> Sequence[Round]:
    """This machine."""
    names = [name for name in catalog.NODE if name != "systemd"]
    flags = [*shared(names), "--collector.netdev.device-exclude=^$", "--collector.arp.device-exclude=^$"]
    with running(ours(*flags)) as mine, running([str(reference()), *flags]) as other:
        fetch(mine), fetch(other)
        return [(exposed(fetch(mine)), exposed(fetch(other)), exposed(fetch(mine))) for _ in range(ROUNDS)]


def test_this_machine_has_the_same_names_labels_and_types(live: Sequence[Round]) -> None:
    """No series of one that the other lacks, but for what came or went in that moment."""
    found = [
        set(differences(side, theirs, absolute=float("inf")))
        for before, theirs, after in live
        for side in (before, after)
    ]
    assert len(live[0][0]) > 150
    assert unexplained(sorted(set.intersection(*found)), LIVE_DIFFERENCES) == []


def test_this_machine_has_the_same_values(live: Sequence[Round]) -> None:
    """A value of theirs lies between our two readings, in one round at least; a counter in every round."""
    found = [dict(beyond(*each)) for each in live]
    kinds = {name: metric.kind for _, theirs, _ in live for name, metric in theirs.items()}
    counters = {line for each in found for series, line in each.items() if kinds[series[0]] == "counter"}
    others = {each[series] for each in found for series in each if all(series in other for other in found)}
    assert sorted(counters | others) == []


def beyond(
    before: Mapping[str, Published], theirs: Mapping[str, Published], after: Mapping[str, Published]
) -> Iterator[tuple[tuple[str, Labels], str]]:
    """The series whose value does not lie between our two readings, and a line that says so."""
    for name, metric in theirs.items():
        for labels, value in metric.samples.items():
            readings = [side[name].samples.get(labels, math.nan) for side in (before, after) if name in side]
            if not readings or math.isnan(sum(readings, value)):
                continue
            spare = 10 if OBSERVED.fullmatch(name) else ROUNDING * abs(value)
            if not min(readings) - spare <= value <= max(readings) + spare:
                yield (name, labels), f"{name}{dict(labels)}: {value}, ours {readings}"


def test_debians_release_has_nothing_that_ours_lacks() -> None:
    """Whoever comes from Debian's node_exporter finds every name, label and type again."""
    program = str(debians())
    said = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=30, check=False)
    names = [name for name in catalog.NODE if re.search(rf"--collector\.{name}\s", said.stderr) and name != "systemd"]
    flags = [*shared(names), "--collector.netdev.device-exclude=^$"]
    with running(ours(*flags)) as mine, running([program, *flags]) as other:
        found = differences(exposed(fetch(mine)), exposed(fetch(other)), absolute=float("inf"))
        assert unexplained(found, OLDER_DIFFERENCES) == []
