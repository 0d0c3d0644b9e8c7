"""UDP sockets: how many, what waits in them, what they dropped."""

from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.udp import counted
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.cgroups.test_network import CONTAINER, POD, members, net_dev, process
from tests.exporters.machines import NOW

HEADER = (
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer "
    "drops            \n"
)


def socket(queues: str = "00000000:00000000", dropped: str = "0") -> str:
    """A line as the kernel writes it."""
    return (
        f" 6671: 0100007F:14E9 00000000:0000 07 {queues} 00:00000000 00000000     0        0 1258504 2 "
        f"00000000e55a1e4d {dropped:<8}\n"
    )


def test_what_waits_is_named_by_its_way(tmp_path: Path) -> None:
    """The kernel heads them `tx_queue rx_queue`; cAdvisor has them the wrong way round."""
    machine = FakeMachine(tmp_path)
    members(machine, POD)
    members(machine, CONTAINER, 40)
    process(machine, 40, net_dev("eth0"))
    machine.write("proc/40/net/udp", HEADER + socket("00000010:00000F00", "9") + socket("00000001:00000100", "3"))
    machine.write("proc/40/net/udp6", HEADER)
    found = samples_in(exposed(cgroup_group(machine.host, {"cgroup.udp": True}).collectors["cgroup.udp"], NOW))
    of_pod = {
        (name.split("_")[2], name.rpartition('udp_state="')[2].rstrip('"}')): value
        for name, value in found.items()
        if f'id="/{POD}"' in name
    }
    assert of_pod == {
        ("udp", "listen"): 2,
        ("udp", "dropped"): 12,
        ("udp", "rxqueued"): 0x1000,
        ("udp", "txqueued"): 0x11,
        **{("udp6", state): 0 for state in ("listen", "dropped", "rxqueued", "txqueued")},
    }


@pytest.mark.parametrize(
    "line",
    [
        "\n",
        "  1: 0:0 0:0 07\n",
        socket("0000000G:00000000"),
        socket("-0000001:00000000"),
        socket(dropped="-1"),
        socket(dropped="9" * 400),
        socket("1" * 400 + ":00000000"),
    ],
)
def test_a_line_that_makes_no_sense_is_no_socket(line: str) -> None:
    """It costs no other."""
    table = HEADER + line + socket(dropped="5")
    assert counted(table.encode()) == {"listen": 1, "dropped": 5, "rxqueued": 0, "txqueued": 0}


@pytest.mark.parametrize("table", [b"", b"\n", socket().encode()])
def test_what_is_no_table_has_no_series(table: bytes) -> None:
    """Never a 0."""
    assert counted(table) == {}
