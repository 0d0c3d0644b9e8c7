"""TCP sockets by state: each state's code, whose they are, and tables that are none."""

import re
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.tcp import counted
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.cgroups.test_network import CONTAINER, POD, members, net_dev, on_host, process
from tests.exporters.machines import APP, NOW, log_links

HEADER = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    "                                                     \n"
)
NAMES = "established synsent synrecv finwait1 finwait2 timewait close closewait lastack listen closing"
CODES = {name: f"{number:02X}" for number, name in enumerate(NAMES.split(), 1)}
"""In the order of the kernel's tcp_states.h."""


def sockets(*codes: str) -> str:
    """A table as the kernel writes it, with a socket in each of these states. Its user is 10, its time-out 7."""
    return HEADER + "".join(
        f"{number:>4}: 0100007F:1F90 0A00000A:000B {code} 00000001:00000000 01:00000014 00000000    10        7 "
        f"1258496 1 00000000598727a6 20 0 0 10 -1{' ' * 19}\n"
        for number, code in enumerate(codes)
    )


def published(machine: FakeMachine) -> dict[str, float]:
    """Values by metric, id and state; states without a socket are left out."""
    found = samples_in(exposed(cgroup_group(machine.host, {"cgroup.tcp": True}).collectors["cgroup.tcp"], NOW))
    short = re.compile(r'container_network_(\w+)_usage_total\{.*id="([^"]*)".*tcp_state="(\w+)"')
    return {" ".join(short.match(name).groups()): value for name, value in found.items() if value}  # type: ignore[union-attr]


@pytest.mark.parametrize("state", CODES)
def test_each_state_has_its_code(state: str) -> None:
    """No other word of a line is taken for one."""
    others = [code for name, code in CODES.items() if name != state]
    assert counted(sockets(CODES[state], *others, CODES[state]).encode()) == {**dict.fromkeys(CODES, 1), state: 2}


def test_the_table_of_ipv6_is_a_metric_of_its_own(tmp_path: Path) -> None:
    """The pod has both, through any of its processes, and the machine those of process 1."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    members(machine, POD)
    members(machine, CONTAINER, 40)
    process(machine, 1, net_dev("eth0"))
    process(machine, 40, net_dev("eth0"))
    machine.write("proc/1/net/tcp", sockets("0A"))
    machine.write("proc/40/net/tcp", sockets("01", "0A", "01"))
    machine.write("proc/40/net/tcp6", sockets("06"))
    assert published(machine) == {
        "tcp / listen": 1,
        f"tcp /{POD} established": 2,
        f"tcp /{POD} listen": 1,
        f"tcp6 /{POD} timewait": 1,
    }


def test_the_sockets_of_the_host_are_the_roots_only(tmp_path: Path) -> None:
    """As with traffic."""
    machine = FakeMachine(tmp_path)
    members(machine, f"docker/{APP}", 40)
    process(machine, 1, net_dev("eth0"))
    on_host(machine, 40)
    for pid in (1, 40):
        machine.write(f"proc/{pid}/net/tcp", sockets("0A"))
    assert published(machine) == {"tcp / listen": 1}


def test_a_table_of_thousands_is_read_to_its_end(tmp_path: Path) -> None:
    """The kernel hands it out by the page."""
    machine = FakeMachine(tmp_path)
    members(machine, f"docker/{APP}", 40)
    process(machine, 40, net_dev("eth0"))
    machine.write("proc/40/net/tcp", sockets(*["01"] * 9000, "06"))
    found = published(machine)
    assert found == {f"tcp /docker/{APP} established": 9000, f"tcp /docker/{APP} timewait": 1}


@pytest.mark.parametrize("table", [b"", b"\n", b" 01  0A \n", bytes(range(256))])
def test_what_is_no_table_has_no_series(table: bytes) -> None:
    """Never a 0: with IPv6 switched off there is no tcp6."""
    assert counted(table) == {}
    assert counted(HEADER.encode()) == dict.fromkeys(CODES, 0)
