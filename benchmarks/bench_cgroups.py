"""The exporter of cgroups beside cAdvisor on this machine, on 250 containers in 50 pods, in one run. Needs root.

`python benchmarks/bench_cgroups.py [--minutes 10]` scrapes both every 15 seconds, after two minutes in which cAdvisor
comes to look at idle cgroups as seldom as it ever does. `--scrapes N` scrapes N times back to back instead, and
`--curve` measures ours alone on 50 to 2,000 containers. cAdvisor is built with Go, and publishes what it does by
default; so do we. Each container is one `sleep`; they and their cgroups are gone afterwards.

What cAdvisor does between two scrapes is its way of working, so the figure to compare is the CPU for every 15 seconds.
"""

import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import click
from containers import PER_POD, TOP, containers
from side_by_side import CLOCK, Subject, compile_ours, report, running

from fenghuo.addresses import free_port
from fenghuo.errors import StartError
from tests.stack.servers.cadvisor import VERSION, program

PERIOD = 15.0
"""Seconds from scrape to scrape."""

SETTLE = 120.0
"""Seconds after which cAdvisor looks at an idle cgroup once a minute, and has kept as much as it keeps."""

SEEN = re.compile(rb'^container_last_seen\{.*\bid="([^"]*)"', re.MULTILINE)
CURVE = (50, 250, 500, 1000, 2000)


@dataclass
class Cpu:
    """CPU seconds that an exporter took: in scrapes, and in all."""

    in_scrapes: float = 0.0
    total: float = 0.0


def ours(port: int) -> list[str]:
    return [sys.executable, "-m", "exporters", "--collect=cgroup", f"--web.listen-address=127.0.0.1:{port}"]


def measure(subjects: Sequence[Subject], scrapes: int, period: float) -> list[Cpu]:
    """Scrape in turn at the beginning of each period, of so many seconds; back to back when it is 0."""
    spent = [Cpu(total=-subject.cpu_seconds()) for subject in subjects]
    start = CLOCK.monotonic()
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(subject.client())) for subject in subjects]
        for turn in range(scrapes):
            for subject, client, cpu in zip(subjects, clients, spent, strict=True):
                before = subject.cpu_seconds()
                subject.scrape(client)
                cpu.in_scrapes += subject.cpu_seconds() - before
            time.sleep(max(0.0, start + (turn + 1) * period - CLOCK.monotonic()))
    for subject, cpu in zip(subjects, spent, strict=True):
        cpu.total += subject.cpu_seconds()
    return spent


def figures(subject: Subject, cpu: Cpu, scrapes: int, period: float) -> dict[str, float]:
    """What is compared."""
    idle = {
        "CPU between scrapes, ms": 1000 * (cpu.total - cpu.in_scrapes) / scrapes,
        f"CPU for every {period:g} s, ms": 1000 * cpu.total / scrapes,
    }
    return {
        "CPU a scrape, ms": 1000 * cpu.in_scrapes / scrapes,
        **(idle if period else {}),
        **subject.walls_and_memory(),
        "CPU a sample, µs": 1e6 * cpu.in_scrapes / scrapes / subject.samples,
    }


def ids_seen(subject: Subject) -> set[bytes]:
    """The cgroups that an exporter publishes."""
    return set(SEEN.findall(subject.exposition()))


def wait_for_all(subject: Subject, cgroups: int) -> int:
    """Wait until an exporter has found all our cgroups. Returns how many others there are, the root being one."""
    deadline = CLOCK.monotonic() + 60
    while True:
        seen = ids_seen(subject)
        found = sum(path.startswith(f"/{TOP}".encode()) for path in seen)
        if found == cgroups:
            return len(seen) - found
        if CLOCK.monotonic() > deadline:
            raise click.ClickException(f"{subject.name} sees {found} of {cgroups} cgroups")
        time.sleep(0.2)


def compare(count: int, scrapes: int, period: float) -> None:
    """Both in one run; ours alone where cAdvisor can't be built."""
    with ExitStack() as stack:
        cgroups = stack.enter_context(containers(count))
        port = free_port()
        subjects = [stack.enter_context(running("fenghuo exporter", ours(port), port))]
        try:
            other = free_port()
            command = [str(program()), f"-listen=127.0.0.1:{other}"]
            subjects.append(stack.enter_context(running(f"cAdvisor {VERSION}", command, other)))
        except StartError as error:
            print(f"no cAdvisor to compare with: {error}")
        others = [wait_for_all(subject, cgroups) for subject in subjects]
        print(f"{count} containers in {count // PER_POD} pods: {cgroups} cgroups, and {others[0]} that are not ours")
        time.sleep(SETTLE if period else 0)
        for subject in subjects:
            subject.count_samples()
        spent = measure(subjects, scrapes, period)
        report(
            {subject.name: figures(subject, cpu, scrapes, period) for subject, cpu in zip(subjects, spent, strict=True)}
        )


def curve(scrapes: int) -> None:
    """What a scrape of ours costs on more and more containers."""
    print(f"{'containers':>10} {'others':>7} {'CPU a scrape, ms':>17} {'µs a container':>15} {'samples':>8} {'MiB':>6}")
    for count in CURVE:
        port = free_port()
        with containers(count) as cgroups, running("fenghuo exporter", ours(port), port) as subject:
            others = wait_for_all(subject, cgroups)
            samples = subject.count_samples()
            (cpu,) = measure([subject], scrapes, 0.0)
            milliseconds = 1000 * cpu.in_scrapes / scrapes
            print(
                f"{count:10} {others:7} {milliseconds:17.2f} {1000 * milliseconds / count:15.1f} {samples:8}"
                f" {subject.resident():6.1f}"
            )


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="How long to scrape every 15 seconds.")
@click.option("--scrapes", type=click.IntRange(min=1), help="Scrape so many times back to back instead.")
@click.option("--containers", "count", default=250, show_default=True)
@click.option("--curve", "is_curve", is_flag=True, help="Only ours, on 50 to 2,000 containers.")
def main(minutes: float, scrapes: int | None, count: int, is_curve: bool) -> None:
    """Compare CPU, time and memory of a scrape, and what is done between scrapes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: what was made is removed
    compile_ours()
    try:
        if is_curve:
            curve(scrapes or 20)
        elif scrapes is not None:
            compare(count, scrapes, 0.0)
        else:
            compare(count, max(1, round(60 * minutes / PERIOD)), PERIOD)
    except OSError as error:
        who = "" if os.geteuid() == 0 else ", which this user is not"
        print(f"not measured: {error}. To make cgroups takes root{who}, and a cgroupfs that may be written to.")


if __name__ == "__main__":
    main()
