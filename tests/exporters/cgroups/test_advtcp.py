"""The kernel's counts of TCP: which are taken, under which labels, and lines that do not fit together."""

from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.advtcp import LABELS, counted
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.cgroups.test_network import CONTAINER, POD, WORKLOAD, members, net_dev, process
from tests.exporters.machines import NOW, log_links

NETSTAT = "TcpExt: SyncookiesSent TW Unheard TCPTimeouts\nTcpExt: 1 2 3 4\nIpExt: InNoRoutes TW\nIpExt: 5 6\n"
SNMP = "Ip: Forwarding InErrs\nIp: 1 64\nTcp: RtoMin MaxConn InErrs\nTcp: 200 -1 7\nUdp: InErrors\nUdp: 8\n"


def test_those_of_both_files_under_the_labels_of_the_pod(tmp_path: Path) -> None:
    """Groups other than TCP's, and names that cAdvisor does not have, are left out."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    members(machine, POD)
    members(machine, CONTAINER, 40)
    process(machine, 40, net_dev("eth0"))
    machine.write_all({"netstat": NETSTAT, "snmp": SNMP}, "proc/40/net")
    found = samples_in(exposed(cgroup_group(machine.host, {"cgroup.advtcp": True}).collectors["cgroup.advtcp"], NOW))
    name = f'container_network_advance_tcp_stats_total{{container="",id="/{POD}",image="",name="",namespace="shop"'
    assert {series: value for series, value in found.items() if series.startswith(name)} == {
        f'{name},pod="web-0",{WORKLOAD},tcp_state="{state}"}}': value
        for state, value in (
            *(("syncookiessent", 1), ("tw", 2), ("tcptimeouts", 4)),
            *(("rtomin", 200), ("maxconn", -1), ("inerrs", 7)),
        )
    }


def test_there_are_as_many_labels_as_in_cadvisor() -> None:
    """Each in small letters and once."""
    assert len(LABELS) == len(set(LABELS.values())) == 99
    assert LABELS[b"PFMemallocDrop"] == "pfmemallocdrop"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", {}),
        ("Tcp: InErrs OutRsts", {}),
        ("Tcp: InErrs OutRsts\nTcp: 1\n", {}),
        ("Tcp: InErrs\nTcpExt: 1\n", {}),
        ("Tcp: InErrs OutRsts\nTcp: x 2\n", {"outrsts": 2}),
        ("Tcp: InErrs OutRsts\nTcp: -1 2\n", {"outrsts": 2}),
        (f"Tcp: InErrs OutRsts\nTcp: {2**64} {'9' * 5000}\n", {}),
        ("Tcp: InErrs\nTcp: 1\nTcp: InErrs\nTcp: 2\n", {"inerrs": 2}),
    ],
)
def test_what_makes_no_sense_is_left_out(content: str, found: dict[str, int]) -> None:
    """Cut, of two groups, no number, negative, too high; a name that stands there twice is one series."""
    assert counted([content.encode(), b""]) == found
