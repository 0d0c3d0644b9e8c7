"""The exporter beside Prometheus' node_exporter on this machine, the same collectors on, in one run.

`python benchmarks/bench_exporters.py [--scrapes 300] [--node-exporter PATH] [--no-newest]`. The peers are Debian's
package `prometheus-node-exporter` where it is installed (its service may run on; this starts one of its own on another
port), and the newest release, which it builds with Go. The collectors are all that run by default in both. Scrapes
alternate, so that both see the same machine; read the ratios, not the milliseconds.
"""

import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from exporters import catalog
from fenghuo.addresses import free_port
from fenghuo.clock import SystemClock

CLOCK = SystemClock()
BYTECODE = Path(tempfile.gettempdir()) / "fenghuo-bench-bytecode"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": str(BYTECODE),
}
"""Bytecode is kept between starts, as an installed package has it."""
NAMES = ("prometheus-node-exporter", "node_exporter")


@dataclass
class Subject:
    """A running exporter and what was measured of it."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    started_in: float
    walls: list[float] = field(default_factory=list)
    cpu: float = 0.0
    samples: int = 0

    def scrape(self, client: http.client.HTTPConnection) -> None:
        """One scrape, as Prometheus does it: packed, on a kept connection."""
        start = CLOCK.monotonic()
        client.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        client.getresponse().read()
        self.walls.append(CLOCK.monotonic() - start)

    def count_samples(self) -> None:
        """How many samples an exposition has."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        client.request("GET", "/metrics")
        lines = client.getresponse().read().splitlines()
        self.samples = sum(1 for line in lines if line and not line.startswith(b"#"))
        client.close()

    def cpu_seconds(self) -> float:
        """CPU time of the process so far, to the nanosecond: the clock that clock_getcpuclockid(3) gives for it."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def resident(self) -> float:
        """MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def figures(self, scrapes: int) -> dict[str, float]:
        """What is compared."""
        ordered = sorted(self.walls)
        return {
            "CPU a scrape, ms": 1000 * self.cpu / scrapes,
            "wall p50, ms": 1000 * statistics.median(ordered),
            "wall p99, ms": 1000 * ordered[int(len(ordered) * 0.99)],
            "resident, MiB": self.resident(),
            "samples": self.samples,
            "CPU a sample, µs": 1e6 * self.cpu / scrapes / self.samples,
            "start to first answer, ms": 1000 * self.started_in,
        }


@contextmanager
def running(name: str, command: Sequence[str], port: int) -> Iterator[Subject]:
    """Start an exporter and wait for its first answer."""
    start = CLOCK.monotonic()
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not answers(port):
                if process.poll() is not None or CLOCK.monotonic() - start > 10:
                    raise click.ClickException(f"{name} did not start: {' '.join(command)}")
            yield Subject(name, port, process, CLOCK.monotonic() - start)
        finally:
            process.kill()


def answers(port: int) -> bool:
    """Whether a landing page is there."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", "/")
        return client.getresponse().status == 200
    except OSError:
        return False
    finally:
        client.close()


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


def measure(subjects: Sequence[Subject], scrapes: int) -> None:
    """Warm up, then scrape in turn."""
    with ExitStack() as stack:
        clients = [http.client.HTTPConnection("127.0.0.1", subject.port, timeout=10) for subject in subjects]
        for subject, client in zip(subjects, clients, strict=True):
            stack.callback(client.close)
            subject.count_samples()
            for _ in range(20):
                subject.scrape(client)
            subject.walls.clear()
            subject.cpu = -subject.cpu_seconds()
        for _ in range(scrapes):
            for subject, client in zip(subjects, clients, strict=True):
                subject.scrape(client)
        for subject in subjects:
            subject.cpu += subject.cpu_seconds()


def report(subjects: Sequence[Subject], scrapes: int) -> None:
    columns = [subject.figures(scrapes) for subject in subjects]
    names = [subject.name for subject in subjects]
    print(f"{'':28}" + "".join(f"{name:>28}" for name in names) + ("       ratio" if len(columns) > 1 else ""))
    for figure in columns[0]:
        values = [column[figure] for column in columns]
        ratio = f"{values[0] / values[1]:12.2f}" if len(values) > 1 and values[1] else ""
        print(f"{figure:28}" + "".join(f"{value:28.2f}" for value in values) + ratio)
    print(json.dumps(dict(zip(names, columns, strict=True))))


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
    subprocess.run([sys.executable, "-m", "exporters", "--version"], env=ENVIRONMENT, capture_output=True, check=True)
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
        measure(subjects, scrapes)
        report(subjects, scrapes)


def build_newest() -> str:
    """`go install …/node_exporter@latest` into a folder of its own, and the program."""
    folder = Path(tempfile.gettempdir()) / "fenghuo-bench-node-exporter"
    command = ["go", "install", "github.com/prometheus/node_exporter@latest"]
    subprocess.run(command, env={**os.environ, "GOBIN": str(folder)}, check=True, timeout=600)
    return str(folder / "node_exporter")


if __name__ == "__main__":
    main()
