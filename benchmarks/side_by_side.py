"""What the comparisons of exporters share: start one, scrape it as Prometheus does, and measure its process.

Scrapes alternate, so that all see the same machine; read the ratios, not the milliseconds.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from fenghuo.clock import SystemClock

CLOCK = SystemClock()
BYTECODE = Path(tempfile.gettempdir()) / "fenghuo-bench-bytecode"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": str(BYTECODE),
}
"""Bytecode is kept between starts, as an installed package has it."""


@dataclass
class Subject:
    """A running exporter and what was measured of its scrapes."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    started_in: float
    walls: list[float] = field(default_factory=list)
    samples: int = 0

    def client(self) -> http.client.HTTPConnection:
        """A connection that is kept from scrape to scrape."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def scrape(self, client: http.client.HTTPConnection) -> None:
        """One scrape, as Prometheus does it: packed, on a kept connection."""
        start = CLOCK.monotonic()
        client.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        client.getresponse().read()
        self.walls.append(CLOCK.monotonic() - start)

    def exposition(self) -> bytes:
        """What it publishes, not packed."""
        with closing(self.client()) as client:
            client.request("GET", "/metrics")
            return client.getresponse().read()

    def count_samples(self) -> int:
        """How many samples its exposition has."""
        lines = self.exposition().splitlines()
        self.samples = sum(1 for line in lines if line and not line.startswith(b"#"))
        return self.samples

    def cpu_seconds(self) -> float:
        """CPU time of the process so far, to the nanosecond: the clock that clock_getcpuclockid(3) gives for it."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def resident(self) -> float:
        """MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def walls_and_memory(self) -> dict[str, float]:
        """The figures that every comparison has."""
        ordered = sorted(self.walls)
        return {
            "wall p50, ms": 1000 * statistics.median(ordered),
            "wall p99, ms": 1000 * ordered[int(len(ordered) * 0.99)],
            "resident, MiB": self.resident(),
            "samples": self.samples,
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


def compile_ours() -> None:
    """Write our bytecode, so that the first start costs what every start does."""
    subprocess.run([sys.executable, "-m", "exporters", "--version"], env=ENVIRONMENT, capture_output=True, check=True)


def report(columns: Mapping[str, Mapping[str, float]]) -> None:
    """The figures of each subject by its name, as a table and as JSON; the ratio is of the first to the second."""
    print(f"{'':28}" + "".join(f"{name:>28}" for name in columns) + ("       ratio" if len(columns) > 1 else ""))
    for figure in next(iter(columns.values())):
        values = [column[figure] for column in columns.values()]
        ratio = f"{values[0] / values[1]:12.2f}" if len(values) > 1 and values[1] else ""
        print(f"{figure:28}" + "".join(f"{value:28.2f}" for value in values) + ratio)
    print(json.dumps(columns))
