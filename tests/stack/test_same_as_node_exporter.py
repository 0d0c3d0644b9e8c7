"""Our exporter and Prometheus' node_exporter, side by side: names, labels, types and values are the same.

Three pairs: on the recorded trees, where every value is the same for ever; on this machine, scraped ours-theirs-ours,
so that theirs must lie between; and beside Debian's older release. Every difference is in a table with its reason, and
a difference that is gone makes its line in the table a failure.
"""

import math
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from exporters import catalog
from tests.exporters.beside import Published, differences, fetch, parse, paths_below, running
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

LIVE_DIFFERENCES: Mapping[str, str] = {}
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
        found = list(differences(exposed(fetch(mine)), exposed(fetch(other)), relative=ROUNDING))

    assert unexplained(found, RECORDED_DIFFERENCES) == []
    assert [pattern for pattern in RECORDED_DIFFERENCES if not any(re.fullmatch(pattern, line) for line in found)] == []


@pytest.fixture(scope="module")
def live() -> Iterator[Sequence[dict[str, Published]]]:
    """This machine, scraped three times in a moment: by us, by node_exporter, by us again."""
    names = [name for name in catalog.NODE if name != "systemd"]
    flags = [*shared(names), "--collector.netdev.device-exclude=^$", "--collector.arp.device-exclude=^$"]
    with running(ours(*flags)) as mine, running([str(reference()), *flags]) as other:
        fetch(mine), fetch(other)
        yield [exposed(fetch(port)) for port in (mine, other, mine)]


def test_this_machine_has_the_same_names_labels_and_types(live: Sequence[dict[str, Published]]) -> None:
    """No series of one that the other lacks, but for what came or went in that moment."""
    before, theirs, after = live
    both = [set(differences(side, theirs, absolute=float("inf"))) for side in (before, after)]
    assert unexplained(sorted(both[0] & both[1]), LIVE_DIFFERENCES) == []


def test_this_machine_has_the_same_values(live: Sequence[dict[str, Published]]) -> None:
    """A counter of theirs lies between our two readings; a gauge near them."""
    before, theirs, after = live
    wrong = [
        f"{name}{dict(labels)}: {value}, ours {before[name].samples[labels]} and {after[name].samples[labels]}"
        for name, metric in theirs.items()
        if name in before and name in after
        for labels, value in metric.samples.items()
        if labels in before[name].samples and labels in after[name].samples
        if not near(metric.kind, value, (before[name].samples[labels], after[name].samples[labels]))
    ]
    assert wrong == []


def near(kind: str, value: float, ours: tuple[float, float]) -> bool:
    """Whether a value fits between two readings; what goes up and down may also swing beyond them."""
    low, high = min(ours), max(ours)
    swing = 0.0 if kind == "counter" else 0.1 * abs(value) + 10
    return low - swing - 1e-6 <= value <= high + swing + 1e-6 or math.isnan(value)


def test_debians_release_has_nothing_that_ours_lacks() -> None:
    """Whoever comes from Debian's node_exporter finds every name, label and type again."""
    program = str(debians())
    said = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=30, check=False)
    names = [name for name in catalog.NODE if re.search(rf"--collector\.{name}\s", said.stderr) and name != "systemd"]
    flags = [*shared(names), "--collector.netdev.device-exclude=^$"]
    with running(ours(*flags)) as mine, running([program, *flags]) as other:
        found = differences(exposed(fetch(mine)), exposed(fetch(other)), absolute=float("inf"))
        assert unexplained(found, OLDER_DIFFERENCES) == []
