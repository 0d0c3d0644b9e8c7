"""From container log files to a search, with the real command: killed, rotated under its hands, nothing lost."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from fenghuo.addresses import free_port
from fenghuo.clock import SystemClock
from fenghuo.errors import RemoteError
from fenghuo.httpcall import AiohttpCaller, Request

PODS = ("web-1_shop_app", "pay-1_shop_app", "coredns-x_kube-system_coredns")
HEX = "c" * 64


class Process:
    """`fenghuo logs run` over a folder, as an operator starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.containers = folder / "containers"
        self.containers.mkdir(exist_ok=True)
        self.address = f"127.0.0.1:{free_port()}"
        self.config = folder / "logs.yml"
        values = {
            "source": {"type": "files", "paths": [str(self.containers / "*.log")]},
            "sink": {"type": "sqlite", "path": str(folder / "logs" / "logs.sqlite")},
            "dead_letters": {"path": str(folder / "dead.ndjson")},
            "state": {"path": str(folder / "state")},
            "web": {"listen_address": self.address},
        }
        self.config.write_text(json.dumps(values))
        self.process = self._run()

    def _run(self) -> "subprocess.Popen[bytes]":
        with (self.folder / "stderr.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "log_pipeline", "run", f"--config.file={self.config}"], stderr=log
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process = self._run()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=15)

    def get(self, query: str) -> Any:
        """The answer of the search route, or nothing when it does not answer now."""

        async def ask() -> Any:
            async with AiohttpCaller() as caller:
                answer = await caller.call(Request("GET", f"http://{self.address}/api/v1/search?{query}"))
            return answer.json() if answer.status == 200 else None

        try:
            return asyncio.run(ask())
        except RemoteError:
            return None

    def wait_for(self, total: int) -> None:
        """Wait until so many lines are stored."""
        clock = SystemClock()
        end = clock.monotonic() + 60
        found = None
        while clock.monotonic() < end:
            found = self.get("limit=1")
            if found and found["total"] >= total:
                return
            asyncio.run(clock.sleep(0.1))
        raise AssertionError(f"{found}; {(self.folder / 'stderr.txt').read_text()}")

    def search(self, *arguments: str) -> list[str]:
        """The lines that `fenghuo logs search` prints."""
        command = [sys.executable, "-m", "log_pipeline", "search", "--state", str(self.folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.splitlines()


class Writer:
    """Programs in pods that write numbered lines, and a kubelet that rotates their files."""

    def __init__(self, containers: Path) -> None:
        self._containers = containers
        self.written = 0

    def path(self, pod: str) -> Path:
        return self._containers / f"{pod}-{HEX}.log"

    def write(self, count: int) -> None:
        for pod in PODS:
            with self.path(pod).open("a") as file:
                for _ in range(count):
                    self.written += 1
                    level = "ERROR payment failed" if self.written % 50 == 0 else "INFO order accepted"
                    stamp = f"2200-11-21T09:30:{self.written // 1000 % 60:02d}.{self.written % 1000:03d}Z"
                    file.write(f"{stamp} stdout P {level} \n{stamp} stdout F number {self.written}\n")

    def rotate(self, name: str) -> None:
        for pod in PODS:
            self.path(pod).rename(self._containers / f"{pod}-{HEX}.log.{name}")


def test_kills_and_rotations_lose_no_line_and_store_none_twice(tmp_path: Path) -> None:
    process = Process(tmp_path)
    writer = Writer(process.containers)
    try:
        for number in range(3):
            writer.write(400)
            process.wait_for(writer.written - 600)  # somewhere in the middle
            process.kill()
            writer.write(50)
            writer.rotate(f"20261121-{number}")
            writer.write(50)
            process.restart()
        process.wait_for(writer.written)
        numbers = Counter(int(line["message"].rsplit(" ", 1)[1]) for line in all_lines(process))
        assert process.stop() == 0
    finally:
        process.kill()
    assert numbers == Counter(range(1, writer.written + 1))
    (newest,) = process.search("level:error payment", "namespace:shop", "--limit", "1")
    assert " shop/" in newest
    assert "error ERROR payment failed number" in newest


def all_lines(process: Process) -> list[Any]:
    """Every stored line, asked for second by second, as one search gives a thousand at most."""
    spans = [f"2200-11-21T09:30:{second:02d}" for second in range(60)]
    answers = [process.get(f"since={span}Z&until={span}.999999Z&limit=1000") for span in spans[:8]]
    return [line for answer in answers for line in answer["lines"]]
