"""Days of scrapes in minutes: the exporter's memory, threads and open files stay what they were.

24 hours of a scrape every 15 seconds are 5,760 scrapes, every 4 seconds 21,600. Half of the scrapes are of this
machine, half of a recorded one on which devices, mounts and files come and go.
"""

import contextlib
import http.client
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from exporters.testing import FakeMachine
from tests.exporters.beside import paths_below, running_process
from tests.exporters.machines import recorded_machine

ON_REQUEST = ("interrupts", "processes", "softirqs", "tcpstat", "zoneinfo", "buddyinfo", "slabinfo", "cgroups")
WARM_UP = 300
"""Scrapes after which every file is open and every text is kept."""

SPARE_KIB = 1024
"""What the allocator may take more than after the warm-up; a leak of 100 bytes a scrape is twice as much."""


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    resident_kib: int
    threads: int
    files: int


def held(pid: int) -> Held:
    """What /proc says of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    number = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if len(line.split()) > 1}
    return Held(int(number["VmRSS"]), int(number["Threads"]), len(list(Path(f"/proc/{pid}/fd").iterdir())))


def scrape_often(client: http.client.HTTPConnection, times: int, before: Callable[[int], None]) -> None:
    """Scrape on one kept connection, as Prometheus does."""
    for number in range(times):
        before(number)
        client.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        answer = client.getresponse()
        assert (answer.status, len(answer.read()) > 1000) == (200, True)


def nothing(number: int) -> None:
    """The machine is left as it is."""


def churn(machine: FakeMachine) -> Callable[[int], None]:
    """Every tenth scrape finds another network device, disk, mount and textfile, and those of before gone."""
    static = {path: (machine.folder / path).read_text() for path in ("proc/net/dev", "proc/diskstats")}
    mounts = "29 1 259:2 / / rw shared:1 - ext4 /dev/sda1 rw\n"

    def change(number: int) -> None:
        if number % 10:
            return
        device, before = f"net{number}", f"net{number - 10}"
        machine.write("proc/net/dev", f"{static['proc/net/dev']}{device}: {'1 ' * 16}\n")
        machine.write("proc/diskstats", f"{static['proc/diskstats']} 8 {number % 999} sd{number} {'1 ' * 17}\n")
        machine.write("proc/1/mountinfo", f"{mounts}30 1 259:3 / /mnt/{number} rw shared:1 - ext4 /dev/sdb1 rw\n")
        for attribute, value in (("operstate", "up"), ("mtu", "1500"), ("carrier", "1"), ("address", "aa:bb")):
            machine.write(f"sys/class/net/{device}/{attribute}", f"{value}\n")
        machine.write(f"textfile/{device}.prom", f'job_done{{number="{number}"}} 1\n')
        for gone in (f"sys/class/net/{before}", f"textfile/{before}.prom"):
            if (machine.folder / gone).exists():
                machine.remove(gone)

    return change


@pytest.mark.parametrize("scrapes", [1_500, pytest.param(20_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("where", ["this machine", "a machine of comings and goings"])
def test_a_scrape_leaves_nothing_behind(where: str, scrapes: int, tmp_path: Path) -> None:
    """After all the scrapes the process holds what it held after the first few hundred."""
    command = [sys.executable, "-m", "exporters", "--collect=node", *(f"--collector.{name}" for name in ON_REQUEST)]
    change: Callable[[int], None] = nothing
    if where != "this machine":
        machine = recorded_machine(tmp_path)
        machine.write("textfile/first.prom", "job_done 1\n")
        command += [*paths_below(tmp_path), f"--collector.textfile.directory={tmp_path / 'textfile'}"]
        change = churn(machine)
    with (
        running_process(command) as (port, process),
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client,
    ):
        scrape_often(client, WARM_UP, change)
        first = held(process.pid)  # with the connection open: when the exporter closes it is chance
        scrape_often(client, scrapes, lambda number: change(number + WARM_UP))
        last = held(process.pid)
    print(f"{where}: {scrapes} scrapes: {first} → {last}")
    assert (last.threads, last.files) == (first.threads, first.files)
    assert last.resident_kib <= first.resident_kib + SPARE_KIB
