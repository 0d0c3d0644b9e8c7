"""Neighbours, TCP sockets and queueing disciplines: what becomes of the kernel's messages."""

import errno
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.collector import Collector, Malformed, NoData
from exporters.host import Host
from exporters.node import arp, qdisc
from exporters.node.arp import Arp
from exporters.node.qdisc import Qdisc
from exporters.node.tcpstat import TcpStat
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters import netlink

HEADING = "IP address       HW type     Flags       HW address            Mask     Device\n"
REFUSED = OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
LINKS = [netlink.link(1, "lo"), netlink.link(2, "eth0"), netlink.link(3, "veth5f3a1c2")]


def machine_with(folder: Path, kernel: netlink.Kernel) -> FakeMachine:
    """A machine whose kernel answers so."""
    machine = FakeMachine(folder)
    machine.answer(netlink=kernel)
    return machine


def test_neighbours_are_counted_by_device(tmp_path: Path) -> None:
    """But those of containers' devices, of a device that is gone, and those that need no address."""
    neighbours = [netlink.neighbour(2), netlink.neighbour(2, 0x04), netlink.neighbour(2, 0x40)]
    neighbours += [netlink.neighbour(3), netlink.neighbour(9), b"\2"]
    kernel = netlink.Kernel({netlink.GETNEIGH: neighbours, netlink.GETLINK: LINKS})
    machine = machine_with(tmp_path, kernel)
    assert samples_in(exposed(Arp(machine.host))) == {'node_arp_entries{device="eth0"}': 2}
    everything = Arp(machine.host, arp.Options(device_exclude=re.compile("")))
    assert samples_in(exposed(everything))['node_arp_entries{device="veth5f3a1c2"}'] == 1


@pytest.mark.parametrize("options", [arp.Options(), arp.Options(netlink=False)])
def test_neighbours_from_the_file(tmp_path: Path, options: arp.Options) -> None:
    """Where netlink is refused, and where the operator wants no netlink."""
    machine = machine_with(tmp_path, netlink.Kernel({netlink.GETNEIGH: REFUSED}))
    lines = [f"10.0.0.{number} 0x1 0x2 00:00:00:00:00:00 * {name}" for number, name in enumerate(("e0", "veth1", "e0"))]
    machine.write("proc/net/arp", HEADING + "\n".join(lines) + "\n")
    assert samples_in(exposed(Arp(machine.host, options))) == {'node_arp_entries{device="e0"}': 2}


def test_a_device_of_an_odd_name_in_the_file(tmp_path: Path) -> None:
    """It counts as another does, though Python takes what is in its name for the end of a line."""
    machine = machine_with(tmp_path, netlink.Kernel({netlink.GETNEIGH: REFUSED}))
    machine.write("proc/net/arp", HEADING + "10.0.0.1 0x1 0x2 00:00:00:00:00:00 *    a\x1cb\n")
    assert samples_in(exposed(Arp(machine.host))) == {'node_arp_entries{device="a\x1cb"}': 1}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "net/arp:1: expected a heading"),
        ("x\n", "net/arp:1: expected a heading"),
        (HEADING + "10.0.0.1 0x1 0x2 00:00:00:00:00:00 *\n", "net/arp:2: expected 6 words"),
        (HEADING + "10.0.0.1 0x1 two 00:00:00:00:00:00 * eth0\n", "net/arp:2: expected 6 words"),
    ],
)
def test_a_broken_file_of_neighbours(tmp_path: Path, content: str, expected: str) -> None:
    """Named with its line."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/net/arp", content)
    with pytest.raises(Malformed, match=expected):
        exposed(Arp(machine.host))


def test_sockets_by_state(tmp_path: Path) -> None:
    """Of both families, with the bytes that wait; a state without sockets is not there."""
    sockets = [netlink.tcp_socket(1, 10, 20), netlink.tcp_socket(10, 0, 128), netlink.tcp_socket(12), b"\2"]
    machine = machine_with(tmp_path, netlink.Kernel({netlink.SOCKETS: sockets}))
    machine.write("proc/net/tcp6", "")
    assert samples_in(exposed(TcpStat(machine.host))) == {
        'node_tcp_connection_states{state="rx_queued_bytes"}': 20,
        'node_tcp_connection_states{state="tx_queued_bytes"}': 296,
        'node_tcp_connection_states{state="established"}': 2,
        'node_tcp_connection_states{state="listen"}': 2,
        'node_tcp_connection_states{state="unknown"}': 2,
    }


def test_a_kernel_without_ipv6_is_asked_once(tmp_path: Path) -> None:
    """Where /proc/net/tcp6 is not there. Without sockets there is nothing to tell."""
    kernel = netlink.Kernel({netlink.SOCKETS: []})
    assert exposed(TcpStat(machine_with(tmp_path, kernel).host)) == ""
    assert kernel.asked == [netlink.SOCKETS]


def test_disciplines_at_the_root(tmp_path: Path) -> None:
    """Not those below, nor those that only see what comes in; one that counts nothing has zeros."""
    disciplines = [
        netlink.qdisc(1, "noqueue", basic=(), queue=()),
        netlink.qdisc(2, "fq_codel"),
        netlink.qdisc(2, "pfifo", parent=0x10001),
        netlink.qdisc(2, "clsact", parent=0xFFFFFFF1),
        netlink.qdisc(3, "noqueue"),
        netlink.qdisc(9, "noqueue"),
        b"\0",
    ]
    kernel = netlink.Kernel({netlink.GETQDISC: disciplines, netlink.GETLINK: LINKS})
    machine = machine_with(tmp_path, kernel)
    samples = samples_in(exposed(Qdisc(machine.host)))
    assert {name: value for name, value in samples.items() if "eth0" in name} == {
        'node_qdisc_bytes_total{device="eth0",kind="fq_codel"}': 1,
        'node_qdisc_packets_total{device="eth0",kind="fq_codel"}': 2,
        'node_qdisc_current_queue_length{device="eth0",kind="fq_codel"}': 3,
        'node_qdisc_backlog{device="eth0",kind="fq_codel"}': 4,
        'node_qdisc_drops_total{device="eth0",kind="fq_codel"}': 5,
        'node_qdisc_requeues_total{device="eth0",kind="fq_codel"}': 6,
        'node_qdisc_overlimits_total{device="eth0",kind="fq_codel"}': 7,
    }
    assert samples['node_qdisc_drops_total{device="lo",kind="noqueue"}'] == 0
    assert len(samples) == 14
    some = samples_in(exposed(Qdisc(machine.host, qdisc.Options(device_include=re.compile("^veth")))))
    assert len(some) == 7


@pytest.mark.parametrize(
    ("collector", "expected"),
    [(TcpStat, r"sock_diag\(7\): Address family"), (Qdisc, r"rtnetlink\(7\): Address family")],
)
def test_a_refusal_is_said(tmp_path: Path, collector: Callable[[Host], Collector], expected: str) -> None:
    """No file stands in for these."""
    machine = machine_with(tmp_path, netlink.Kernel({netlink.SOCKETS: REFUSED, netlink.GETQDISC: REFUSED}))
    with pytest.raises(NoData, match=expected):
        exposed(collector(machine.host))
