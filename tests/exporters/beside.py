"""Our exposition beside node_exporter's: what differs in names, types, labels and values.

`python -m tests.exporters.beside --peer PROGRAM [--tree recorded] COLLECTOR… [-- FLAG…]` starts both with these
collectors and flags, on this machine or on the recorded trees, and prints every difference.
"""

import argparse
import http.client
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fenghuo.addresses import free_port
from tests.exporters.machines import recorded_machine
from tests.stack.servers.waiting import wait_until

SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)",?')
LISTEN = "--web.listen-address"

Labels = frozenset[tuple[str, str]]


@dataclass
class Published:
    """One metric of an exposition."""

    kind: str
    samples: dict[Labels, float] = field(default_factory=dict)


def parse(text: str) -> dict[str, Published]:
    """An exposition in the text format, by the names of its metrics."""
    metrics: dict[str, Published] = {}
    name = ""
    for line in text.split("\n"):  # a label may hold what Python takes for the end of a line
        if line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:4]
            metrics[name] = Published(kind)
        elif line and not line.startswith("#"):
            matched = SAMPLE.match(line)
            assert matched, line
            sample, labels, value = matched.groups()
            part = [("__name__", sample)] if sample != name else []  # of a histogram or summary
            given = [pair for pair in LABEL.findall(labels or "") if pair[1]]  # empty is absent to Prometheus
            metrics[name].samples[frozenset([*part, *given])] = float(value)
    return metrics


def differences(
    ours: Mapping[str, Published], theirs: Mapping[str, Published], relative: float = 0.0, absolute: float = 0.0
) -> Iterator[str]:
    """Each difference as a line; values may differ by `absolute` plus `relative` times theirs."""
    for name in sorted({*ours, *theirs}):
        mine, other = ours.get(name), theirs.get(name)
        if mine is None or other is None:
            yield f"{name}: only {'theirs' if mine is None else 'ours'}"
        elif mine.kind != other.kind:
            yield f"{name}: type {mine.kind}, theirs {other.kind}"
        else:
            yield from _of_samples(name, mine.samples, other.samples, relative, absolute)


def _of_samples(
    name: str, ours: Mapping[Labels, float], theirs: Mapping[Labels, float], relative: float, absolute: float
) -> Iterator[str]:
    for labels in sorted({*ours, *theirs}, key=sorted):
        shown = name + "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels)) + "}"
        if labels not in ours or labels not in theirs:
            yield f"{shown}: only {'ours' if labels in ours else 'theirs'}"
        elif ours[labels] != theirs[labels] and not (
            abs(ours[labels] - theirs[labels]) <= absolute + relative * abs(theirs[labels])
        ):
            both_nan = ours[labels] != ours[labels] and theirs[labels] != theirs[labels]
            if not both_nan:
                yield f"{shown}: {ours[labels]}, theirs {theirs[labels]}"


@contextmanager
def running(command: Sequence[str], listen: str = LISTEN) -> Iterator[int]:
    """An exporter that listens on a free port of loopback, which is the value. `listen` is its flag for that."""
    with running_process(command, listen) as (port, _):
        yield port


@contextmanager
def running_process(command: Sequence[str], listen: str = LISTEN) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """An exporter as its port and its process."""
    port = free_port()
    with subprocess.Popen(
        [*command, f"{listen}=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: process.poll() is not None or _answers(port), f"{command[0]} to answer", 20)
            assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
            yield port, process
        finally:
            process.kill()


def fetch(port: int, path: str = "/metrics") -> str:
    """A page of an exporter."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        client.request("GET", path)
        return client.getresponse().read().decode()
    finally:
        client.close()


def _answers(port: int) -> bool:
    try:
        return bool(fetch(port, "/"))
    except OSError:
        return False


def paths_below(folder: Path) -> list[str]:
    """The flags that point an exporter at a machine in a folder, as `FakeMachine` lays it out."""
    places = {"procfs": "proc", "sysfs": "sys", "rootfs": "root", "udev.data": "udev"}
    return [f"--path.{flag}={folder / place}" for flag, place in places.items()]


def commands(peer: str, collectors: Sequence[str], flags: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our command and theirs, with the same collectors and flags."""
    shared = ["--collector.disable-defaults", *(f"--collector.{name}" for name in collectors), *flags]
    return [sys.executable, "-m", "exporters", "--collect=node", *shared], [peer, *shared]


def compare(peer: str, collectors: Sequence[str], flags: Sequence[str], tolerance: float) -> list[str]:
    """Start both, scrape both, and list what differs of the collectors' own metrics."""
    own, other = commands(peer, collectors, flags)
    with running(own) as our_port, running(other) as their_port:
        fetch(our_port), fetch(their_port)
        ours, theirs = parse(fetch(our_port)), parse(fetch(their_port))
    skipped = re.compile(
        r"^(process|go|promhttp|python|fenghuo)_|^node_exporter_build_info$|_collector_duration_seconds$"
    )
    wanted, given = ({name: of for name, of in side.items() if not skipped.search(name)} for side in (ours, theirs))
    return list(differences(wanted, given, tolerance))


def main() -> None:
    """Print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collectors", nargs="+")
    parser.add_argument("--peer", default=shutil.which("node_exporter"), help="node_exporter's program")
    parser.add_argument("--tree", choices=["this", "recorded"], default="this")
    parser.add_argument("--tolerance", type=float, default=0.0, help="by which share values may differ")
    known = sys.argv[1:] if "--" not in sys.argv else sys.argv[1 : sys.argv.index("--")]
    flags = [] if "--" not in sys.argv else sys.argv[sys.argv.index("--") + 1 :]
    arguments = parser.parse_args(known)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.tree == "recorded":
            recorded_machine(Path(folder))
            flags += paths_below(Path(folder))
        found = compare(arguments.peer, arguments.collectors, flags, arguments.tolerance)
    print("\n".join(found) or "no difference")


if __name__ == "__main__":
    main()
