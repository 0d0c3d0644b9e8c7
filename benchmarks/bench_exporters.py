"""The exporter beside Prometheus' node_exporter on this machine, the same collectors on, in one run.

`python benchmarks/bench_exporters.py [--scrapes 300] [--node-exporter PATH] [--no-newest]`. The peers are Debian's
package `prometheus-node-exporter` where it is installed (its service may run on; this starts one of its own on another
port), and the newest release, which it builds with Go. The collectors are all that run by default in both. Scrapes
alternate, so that both see the same machine; read the ratios, not the milliseconds.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import click
from side_by_side import Subject, compile_ours, report, running

from exporters import catalog
from fenghuo.addresses import free_port

NAMES = ("prometheus-node-exporter", "node_exporter")


def ours(port: int, collectors: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "exporters", "--collect=node", *flags(port, collectors)]


def flags(port: int, collectors: Sequence[str]) -> list[str]:
    """What both are told: these collectors and no others."""
    chosen = [f"--collector.{name}" for name in collectors]
    return [f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults", *chosen]


def shared(program: str) -> list[str]:
    """The collectors that the peer and we run by default."""
    said = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=30, check=False)
    theirs = dict(
        re.findall(
            r"--(?:\[no-\])?collector\.(\w+)\s+Enable the \w+ collector \(default:\s+(\w+)\)", said.stdout + said.stderr
        )
    )
    return [name for name, entry in catalog.NODE.items() if entry.default and theirs.get(name) == "enabled"]


def measure(subjects: Sequence[Subject], scrapes: int) -> list[float]:
    """Warm up, then scrape in turn; the CPU seconds of each."""
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(subject.client())) for subject in subjects]
        for subject, client in zip(subjects, clients, strict=True):
            subject.count_samples()
            for _ in range(20):
                subject.scrape(client)
            subject.walls.clear()
        before = [subject.cpu_seconds() for subject in subjects]
        for _ in range(scrapes):
            for subject, client in zip(subjects, clients, strict=True):
                subject.scrape(client)
        return [subject.cpu_seconds() - start for subject, start in zip(subjects, before, strict=True)]


def figures(subject: Subject, cpu: float, scrapes: int) -> dict[str, float]:
    """What is compared."""
    return {
        "CPU a scrape, ms": 1000 * cpu / scrapes,
        **subject.walls_and_memory(),
        "CPU a sample, µs": 1e6 * cpu / scrapes / subject.samples,
        "start to first answer, ms": 1000 * subject.started_in,
    }


@click.command()
@click.option("--scrapes", default=300, show_default=True)
@click.option("--node-exporter", "given", multiple=True, help="A peer's program; by default all that are found.")
@click.option("--newest/--no-newest", default=True, help="Build the newest node_exporter with Go, and compare with it.")
def main(scrapes: int, given: tuple[str, ...], newest: bool) -> None:
    """Compare CPU, time and memory of a scrape."""
    programs = list(given) or [found for name in NAMES if (found := shutil.which(name))]
    if newest and not given:
        programs.append(build_newest())
    if not programs:
        print("no node_exporter here to compare with: apt-get install prometheus-node-exporter")
    compile_ours()
    for program in programs:
        compare(program, scrapes)


def compare(program: str, scrapes: int) -> None:
    """One peer beside us, in one run."""
    collectors = shared(program)
    version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    print(f"{(version.stdout + version.stderr).splitlines()[0]}; {len(collectors)} collectors on in both")
    with ExitStack() as stack:
        port, other = free_port(), free_port()
        subjects = [
            stack.enter_context(running("fenghuo exporter", ours(port, collectors), port)),
            stack.enter_context(running(Path(program).name, [program, *flags(other, collectors)], other)),
        ]
        spent = measure(subjects, scrapes)
        report({each.name: figures(each, cpu, scrapes) for each, cpu in zip(subjects, spent, strict=True)})


def build_newest() -> str:
    """`go install …/node_exporter@latest` into a folder of its own, and the program."""
    folder = Path(tempfile.gettempdir()) / "fenghuo-bench-node-exporter"
    command = ["go", "install", "github.com/prometheus/node_exporter@latest"]
    subprocess.run(command, env={**os.environ, "GOBIN": str(folder)}, check=True, timeout=600)
    return str(folder / "node_exporter")


if __name__ == "__main__":
    main()
