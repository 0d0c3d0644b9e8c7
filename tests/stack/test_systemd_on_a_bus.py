"""The collector systemd beside node_exporter's, on a real D-Bus where a fake systemd answers both."""

import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from exporters.testing import FakeSystemd
from tests.exporters.beside import differences, fetch, parse, running
from tests.exporters.node.test_systemd import populated
from tests.exporters.systemd_on_dbus import on_bus
from tests.stack.servers.base import Server
from tests.stack.servers.node_exporter import reference
from tests.stack.servers.programs import find_program

ALL = ("--collector.systemd.enable-task-metrics", "--collector.systemd.enable-restarts-metrics")
FLAGS = (
    (),
    (*ALL, "--collector.systemd.enable-start-time-metrics"),
    ("--collector.systemd.unit-include=.*ssh.*", "--collector.systemd.unit-exclude=.+[.]socket"),
    ("--collector.systemd.unit-exclude=",),
)


class Bus(Server):
    """A D-Bus daemon that lets everybody of this user own every name."""

    name = "dbus-daemon"

    @property
    def path(self) -> Path:
        """Where it listens."""
        return self.folder / "bus"

    def prepare(self) -> None:
        self.path.unlink(missing_ok=True)

    def command(self) -> Sequence[str | Path]:
        return [
            find_program("dbus-daemon"),
            "--session",
            f"--address=unix:path={self.path}",
            "--nofork",
            "--nopidfile",
        ]

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.path)) == 0


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSystemd]:
    """A fake systemd on a real bus, which children of this process take for the system's."""
    fake = populated()
    for number in range(150):
        path = fake.add(f"job-{number}.service", "inactive" if number % 3 else "active")
        fake.set(path, "Service.Type", "s", "oneshot")
    with Bus(tmp_path) as bus:
        address = f"unix:path={bus.path}"
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        with on_bus(address, fake):
            yield fake


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_the_same_is_published_as_by_node_exporter(systemd: FakeSystemd, flags: Sequence[str]) -> None:
    """Names, labels, types and values, with options on and off."""
    shared = ["--collector.disable-defaults", "--collector.systemd", *flags]
    with (
        running([sys.executable, "-m", "exporters", "--collect=node", *shared]) as ours,
        running([str(reference()), *shared]) as theirs,
    ):
        fetch(ours)
        published = [
            {name: of for name, of in parse(fetch(port)).items() if name.startswith("node_s")}
            for port in (ours, theirs)
        ]
    mine, other = ({name: of for name, of in side.items() if "duration" not in name} for side in published)
    assert mine["node_scrape_collector_success"].samples == {frozenset({("collector", "systemd")}): 1}
    assert len(mine) >= 6
    assert list(differences(mine, other)) == []
