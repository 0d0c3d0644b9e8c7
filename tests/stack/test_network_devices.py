"""Real network devices in a network of their own: what the exporter says of them is what ip(8) and tc(8) made.

Needs root, or a kernel that lets a user have namespaces; and ip, tc and veth.
"""

import os
import subprocess
import sys

import pytest

from exporters.testing import samples_in

pytestmark = pytest.mark.stack

MAKE = """
set -e
mount -t sysfs sysfs /sys
ip link set lo up
ip link add wan0 type veth peer name lan0
ip link add veth5f3a1c2 type veth peer name cali0123456789a
for device in wan0 lan0 veth5f3a1c2 cali0123456789a; do ip link set $device up; done
ip link set wan0 alias "to the roof"
ip addr add 10.9.0.1/24 dev wan0
ip addr add 10.8.0.1 peer 10.8.0.2/32 dev lan0
ip neigh add 10.9.0.7 lladdr 02:00:00:00:00:01 dev wan0 nud permanent
ip neigh add 10.9.0.8 lladdr 02:00:00:00:00:02 dev wan0 nud noarp
ip neigh add 10.9.0.9 lladdr 02:00:00:00:00:03 dev veth5f3a1c2 nud permanent
tc qdisc add dev wan0 root tbf rate 1mbit burst 32k latency 50ms
"""

SCRIPT = """
import re, socket, subprocess
from exporters.host import Host, Roots
from exporters.node import arp, netdev
from exporters.node.arp import Arp
from exporters.node.ethtool import Ethtool
from exporters.node.netdev import NetDev
from exporters.node.qdisc import Qdisc
from exporters.node.tcpstat import TcpStat
from exporters.testing import exposed

host = Host(Roots())
listening = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listening.getsockname())
client.send(b"four")
usual = NetDev(host)
for collector in (usual, Arp(host), Qdisc(host), Ethtool(host), TcpStat(host)):
    print(exposed(collector))
detailed = netdev.Options(address_info=True, enable_detailed_metrics=True, label_ifalias=True)
print(exposed(NetDev(host, detailed)))
print("== files")
print(exposed(NetDev(host, netdev.Options(netlink=False))))
print(exposed(Arp(host, arp.Options(netlink=False))))
print("== renamed")
for old, new in (("wan0", "x0"), ("lan0", "wan0"), ("x0", "lan0")):
    for command in (["down"], ["name", new]):
        subprocess.run(["ip", "link", "set", old, *command], check=True)
subprocess.run(["ip", "link", "set", "lan0", "up"], check=True)
subprocess.run(["ip", "link", "set", "lan0", "address", "02:00:00:00:00:09"], check=True)
print(exposed(usual))
"""


@pytest.fixture(scope="module")
def parts() -> list[dict[str, float]]:
    """What is published of the new network: over netlink, from the files, and after two devices swapped their names."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    unshare = ["unshare", *user, "--net", "--mount", "--propagation=private"]
    command = [*unshare, "sh", "-c", MAKE + 'exec "$0" -c "$1"', sys.executable, SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [
        samples_in("\n".join(line for line in part.splitlines() if "{" in line)) for part in done.stdout.split("== ")
    ]


def devices_of(samples: dict[str, float], metric: str) -> set[str]:
    """The devices that a metric has."""
    return {name.split('"')[1] for name in samples if name.startswith(f"{metric}{{device=")}


def test_devices_of_containers_are_left_out(parts: list[dict[str, float]]) -> None:
    """By each collector, over netlink and from the files."""
    for samples in parts[:2]:
        assert devices_of(samples, "node_network_receive_bytes_total") == {"lo", "wan0", "lan0"}
        assert devices_of(samples, "node_arp_entries") == {"wan0"}
    assert devices_of(parts[0], "node_qdisc_bytes_total") == {"lo", "wan0", "lan0"}
    assert not any("veth5f3a1c2" in name or "cali" in name for name in parts[0])


def test_the_files_say_the_same(parts: list[dict[str, float]]) -> None:
    """The same series; the numbers of loopback move."""
    netlink = {name for name in parts[0] if "ifalias" not in name}
    assert {name for name in netlink if name.startswith("node_network_rec")} <= parts[1].keys()
    assert parts[1].keys() <= netlink


def test_neighbours(parts: list[dict[str, float]]) -> None:
    """But for the one that needs no address."""
    assert parts[0]['node_arp_entries{device="wan0"}'] == parts[1]['node_arp_entries{device="wan0"}'] == 1


def test_aliases_and_addresses(parts: list[dict[str, float]]) -> None:
    """As they were given."""
    assert 'node_network_receive_crc_errors_total{device="wan0",ifalias="to the roof"}' in parts[0]
    for labels in (
        'device="lo",address="127.0.0.1",netmask="8",scope="link-local"',
        'device="wan0",address="10.9.0.1",netmask="24",scope="global"',
        'device="lan0",address="10.8.0.1",netmask="32",scope="global"',
    ):
        assert parts[0][f"node_network_address_info{{{labels}}}"] == 1


def test_queues_sockets_and_drivers(parts: list[dict[str, float]]) -> None:
    """The discipline that was set, the connection of the process itself with four bytes not read, the driver's name."""
    assert 'node_qdisc_drops_total{device="wan0",kind="tbf"}' in parts[0]
    assert parts[0]['node_tcp_connection_states{state="established"}'] == 2
    assert parts[0]['node_tcp_connection_states{state="listen"}'] == 1
    assert parts[0]['node_tcp_connection_states{state="rx_queued_bytes"}'] >= 4
    assert any(name.startswith("node_ethtool_info{") and 'driver="veth"' in name for name in parts[0])


def test_two_devices_that_swap_their_names(parts: list[dict[str, float]]) -> None:
    """Their names are asked for again: no series comes or goes, and none is there twice."""
    usual = {name for name in parts[0] if name.startswith("node_network_receive_") and "ifalias" not in name}
    assert {name for name in parts[2] if name.startswith("node_network_receive_")} == usual - detailed(parts[0])


def detailed(samples: dict[str, float]) -> set[str]:
    """The names that only the driver's own collector has."""
    return {name for name in samples if not name.split("{")[0].endswith("_total")}
