"""`python -m fenghuo.up.demo`: three small pods' worth of container log files, written as time goes by.

A child of `fenghuo up --demo`. It writes files and nothing else; all that follows is the real chain.
"""

from pathlib import Path

import click
from aiohttp import web
from prometheus_client import Counter, Gauge

from fenghuo.cli import run_command
from fenghuo.clock import Clock, SystemClock
from fenghuo.errors import StorageError
from fenghuo.httpserve import new_application, serve
from fenghuo.lifecycle import Lifecycle, run
from fenghuo.logs import set_up_logs
from fenghuo.telemetry import new_registry
from fenghuo.up.traffic import PODS, Line, in_burst, lines_of_second

LARGEST_FILE = 1 << 20
"""Bytes after which a pod's file is rotated, as a kubelet does; one older file stays."""


class PodFiles:
    """The pods' files in one folder."""

    def __init__(self, folder: Path, largest: int = LARGEST_FILE) -> None:
        self._folder = folder
        self._largest = largest

    def open(self) -> None:
        """Make the folder and a file for each pod. Raises StorageError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for pod in PODS:
                (self._folder / pod.file_name).touch()
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror}") from error

    def write(self, lines: list[Line]) -> None:
        """Append each line to its pod's file, then rotate what has grown large. Raises StorageError."""
        try:
            for pod in PODS:
                text = "".join(line.cri() for line in lines if line.pod == pod)
                self._append(self._folder / pod.file_name, text.encode())
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror}") from error

    def _append(self, path: Path, content: bytes) -> None:
        with path.open("ab") as file:
            file.write(content)
            full = file.tell() >= self._largest
        if full:
            path.replace(path.with_name(f"{path.name}.1"))
            path.touch()


async def write_for_ever(files: PodFiles, life: Lifecycle, clock: Clock, lines: Counter, burst: Gauge) -> None:
    """Each second its lines, until the end is asked for."""
    # A second's lines are written once it is over: no line is ahead of its time.
    start, began, second = clock.now() - 1, clock.monotonic(), 0
    while not life.stopping:
        batch = lines_of_second(second, start)
        files.write(batch)
        lines.inc(len(batch))
        burst.set(in_burst(second))
        second += 1
        await clock.sleep(began + second - clock.monotonic())


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Where the log files go.")
@click.option("--web.listen-address", "address", default="127.0.0.1:8601", show_default=True, metavar="HOST:PORT")
def command(folder: Path, address: str) -> None:
    """Write the demo pods' log files."""
    set_up_logs()

    async def main(life: Lifecycle) -> None:
        registry = new_registry("demo")
        lines = Counter("fenghuo_demo_lines", "Lines written by the demo pods.", registry=registry)
        burst = Gauge("fenghuo_demo_burst", "1 while the demo's payments fail.", registry=registry)
        files = PodFiles(folder)
        files.open()
        application: web.Application = new_application(life, registry)
        await serve(life, application, address)
        life.ready()
        await write_for_ever(files, life, SystemClock(), lines, burst)

    run("demo", main)


if __name__ == "__main__":
    run_command(command, name="python -m fenghuo.up.demo")
