"""The collectors of /proc/net: protocols, sockets, packets by CPU, tracked connections, the load balancer."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.collector import Collector, Malformed, NoData
from exporters.host import Host
from exporters.node import ipvs, netstat
from exporters.node.conntrack import Conntrack
from exporters.node.ipvs import Ipvs
from exporters.node.netstat import NetStat
from exporters.node.sockstat import SockStat
from exporters.node.softnet import Softnet
from exporters.node.udp_queues import UdpQueues
from exporters.testing import FakeMachine, exposed, samples_in

COUNT, LIMIT = "sys/net/netfilter/nf_conntrack_count", "sys/net/netfilter/nf_conntrack_max"
TRACKED = "net/stat/nf_conntrack"
UDP = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
SOCKET = "   {}: 00000000:0016 00000000:0000 07 {:08X}:{:08X} 00:00000000 00000000     0        0 2740 2 0000 0\n"
TOTALS = "   Total Incoming\n   Conns  Packets\n {} E3 0 51D8 0\n"

GOOD = {
    "net/netstat": "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 1 2\nIpExt: InOctets\nIpExt: 3\n",
    "net/snmp": "Tcp: MaxConn CurrEstab\nTcp: -1 4\n",
    "net/snmp6": "Ip6InOctets  \t5\nIcmp6OutType133  6\nUdp6NoPorts 7\n",
    "net/sockstat": "sockets: used 229\nTCP: inuse 4 mem 2\nFRAG: inuse 0 memory 3\n",
    "net/sockstat6": "TCP6: inuse 17\n",
    "net/ip_vs_stats": TOTALS.format("16AA370"),
    "net/ip_vs": "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
    "TCP  C0A80016:0CEA wlc  \n"
    "  -> C0A85216:0CEA      Tunnel  100    248        2         \n"
    "  -> C0A85318:0CEA      Tunnel  50     1          0         \n"
    "UDP  [2620:0000:0000:0000:0000:0000:0000:0001]:0035 wlc  \n"
    "  -> [2620:0000:0000:0000:0000:0000:0000:0002]:0035      Route   1      2          3         \n"
    "FWM  10001000 wlc   \n"
    "  -> C0A8321A:0CEA      Tunnel  20     64         1         \n",
    COUNT: "123\n",
    LIMIT: "65536\n",
    TRACKED: "entries searched found drop\n00000021 00000000 00000010 0000000a\n00000021 00000000 00000001 00000001\n",
    "net/udp": UDP + SOCKET.format(1, 21, 2) + SOCKET.format(2, 0, 0x100),
    "net/softnet_stat": "00000010 00000002 00000003"
    + " 00000000" * 5
    + " 00000004 00000005 00000006 00000007 00000009\n",
}


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    """A machine with a little of everything."""
    machine = FakeMachine(tmp_path)
    machine.write_all(GOOD, "proc")
    return machine


@pytest.mark.parametrize(
    ("collector", "file", "content", "expected"),
    [
        (
            NetStat,
            "net/snmp",
            "Tcp: A CurrEstab\nTcp: 1\n",
            "net/snmp:2: expected as many numbers as names, got 'Tcp: 1'",
        ),
        (NetStat, "net/snmp", "Tcp: CurrEstab\nUdp: 1\n", "net/snmp:2: expected as many numbers as names"),
        (NetStat, "net/snmp", "Tcp: CurrEstab\nTcp: x\n", "net/snmp:2: expected whole numbers, got 'Tcp: x'"),
        (NetStat, "net/snmp", "Tcp: CurrEstab\n", "net/snmp:1: expected pairs of lines"),
        (NetStat, "net/snmp", f"Tcp: CurrEstab\nTcp: {'9' * 30}\n", "net/snmp:2: expected numbers of 64 bits"),
        (NetStat, "net/snmp6", "Ip6InOctets\n", "net/snmp6: expected lines of a name and a number"),
        (SockStat, "net/sockstat", "TCP: inuse\n", "net/sockstat:1: expected `PROTOCOL: name number …`"),
        (SockStat, "net/sockstat6", "TCP6: inuse 1\n\n", "net/sockstat6:2: expected `PROTOCOL"),
        (Softnet, "net/softnet_stat", "1 2 3\n", "net/softnet_stat:1: expected 9 numbers or more, got '1 2 3'"),
        (Softnet, "net/softnet_stat", f"{'0 ' * 9}\n{'x ' * 9}\n", "net/softnet_stat:2: expected hexadecimal numbers"),
        (Softnet, "net/softnet_stat", "", "net/softnet_stat: expected a line for each CPU"),
        (UdpQueues, "net/udp", UDP + "   1: 0000\n", "net/udp:2: expected a socket with its queues"),
        (UdpQueues, "net/udp", "", "net/udp:1: expected a line of headings"),
        (Conntrack, COUNT, "many\n", "nf_conntrack_count:1: expected a whole number, got 'many"),
        (Conntrack, TRACKED, "", "nf_conntrack:1: expected headings"),
        (Conntrack, TRACKED, "entries found\n1\n", "nf_conntrack:2: expected 2 numbers, got '1'"),
        (Conntrack, TRACKED, "entries found\n1 -2\n", "nf_conntrack:2: expected hexadecimal numbers"),
        (Ipvs, "net/ip_vs_stats", "Total\n", "net/ip_vs_stats:3: expected 5 hexadecimal numbers"),
        (Ipvs, "net/ip_vs_stats", TOTALS.format("-1"), "net/ip_vs_stats:3: expected hexadecimal numbers"),
        (Ipvs, "net/ip_vs", "TCP  C0A8:0CEA wlc\n", "net/ip_vs:1: expected a virtual service"),
        (Ipvs, "net/ip_vs", "FWM 1 wlc\n -> C0A85216:0CEA Tunnel 1 -2 3\n", "net/ip_vs:2: expected a virtual service"),
        (Ipvs, "net/ip_vs", "FWM\n", "net/ip_vs:1: expected a virtual service"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    machine: FakeMachine, collector: Callable[[Host], Collector], file: str, content: str, expected: str
) -> None:
    """File, line, what was expected and what stands there."""
    machine.write(f"proc/{file}", content)
    with pytest.raises(Malformed, match=expected):
        exposed(collector(machine.host))


@pytest.mark.parametrize(
    ("collector", "file"),
    [
        (NetStat, "net/netstat"),
        (NetStat, "net/snmp"),
        (Softnet, "net/softnet_stat"),
        (UdpQueues, "net/udp"),
        (Conntrack, COUNT),
        (Conntrack, TRACKED),
        (Ipvs, "net/ip_vs_stats"),
        (Ipvs, "net/ip_vs"),
    ],
)
def test_what_a_kernel_lacks_is_no_error(
    machine: FakeMachine, collector: Callable[[Host], Collector], file: str
) -> None:
    """NoData names the file that is not there: without the module nf_conntrack or ip_vs, for instance."""
    machine.remove(f"proc/{file}")
    with pytest.raises(NoData, match=file):
        exposed(collector(machine.host))


def test_counters_of_protocols(machine: FakeMachine) -> None:
    """Those that dashboards ask for, out of three files, with no type."""
    text = exposed(NetStat(machine.host))
    assert samples_in(text) == {
        "node_netstat_TcpExt_SyncookiesSent": 1,
        "node_netstat_TcpExt_ListenDrops": 2,
        "node_netstat_IpExt_InOctets": 3,
        "node_netstat_Tcp_CurrEstab": 4,
        "node_netstat_Ip6_InOctets": 5,
        "node_netstat_Udp6_NoPorts": 7,
    }
    assert "# TYPE node_netstat_Tcp_CurrEstab untyped\n" in text


def test_counters_of_protocols_can_be_chosen(machine: FakeMachine) -> None:
    """A pattern matches anywhere in a name; -1 stands for no limit."""
    options = netstat.Options(fields=re.compile("MaxConn|Type"))
    assert samples_in(exposed(NetStat(machine.host, options))) == {
        "node_netstat_Tcp_MaxConn": -1,
        "node_netstat_Icmp6_OutType133": 6,
    }


def test_counters_that_a_kernel_adds_move_the_others(machine: FakeMachine) -> None:
    """The places of counters are found out anew when the names change."""
    collector = NetStat(machine.host)
    exposed(collector)
    machine.write("proc/net/snmp", "Tcp: New CurrEstab\nTcp: 8 9\n")
    assert samples_in(exposed(collector))["node_netstat_Tcp_CurrEstab"] == 9


def test_counters_of_now(machine: FakeMachine) -> None:
    """Numbers that change are read anew, also back to what they were; of two lines of a name the last counts."""
    collector = NetStat(machine.host)
    for tcp, udp in (("4", "7"), ("5", "7"), ("x", "8"), ("5", "8"), ("4", "7")):
        machine.write("proc/net/snmp", f"Tcp: CurrEstab\nTcp: 3\nTcp: CurrEstab\nTcp: {tcp}\n")
        machine.write("proc/net/snmp6", f"Udp6NoPorts {udp}\n")
        if tcp == "x":
            with pytest.raises(Malformed, match="net/snmp:4"):
                exposed(collector)
        else:
            samples = samples_in(exposed(collector))
            assert samples["node_netstat_Tcp_CurrEstab"] == int(tcp)
            assert samples["node_netstat_Udp6_NoPorts"] == int(udp)


@pytest.mark.parametrize(("collector", "file"), [(NetStat, "net/snmp6"), (SockStat, "net/sockstat6")])
def test_a_machine_may_lack_ipv6(machine: FakeMachine, collector: Callable[[Host], Collector], file: str) -> None:
    """The metrics of IPv4 are all there is then."""
    machine.remove(f"proc/{file}")
    samples = samples_in(exposed(collector(machine.host)))
    assert samples
    assert not any("6" in name for name in samples)


def test_sockets_by_protocol(machine: FakeMachine) -> None:
    """`mem` is pages, and bytes as well; `memory` is bytes."""
    assert samples_in(exposed(SockStat(machine.host, page_size=65536))) == {
        "node_sockstat_sockets_used": 229,
        "node_sockstat_TCP_inuse": 4,
        "node_sockstat_TCP_mem": 2,
        "node_sockstat_TCP_mem_bytes": 131072,
        "node_sockstat_FRAG_inuse": 0,
        "node_sockstat_FRAG_memory": 3,
        "node_sockstat_TCP6_inuse": 17,
    }


def test_sockets_of_now(machine: FakeMachine) -> None:
    """Lines that have changed are read anew, and one that comes twice counts once."""
    collector = SockStat(machine.host)
    exposed(collector)
    machine.write("proc/net/sockstat", "TCP: inuse 5\nTCP: inuse 6\n")
    samples = samples_in(exposed(collector))
    assert samples == {"node_sockstat_TCP_inuse": 6, "node_sockstat_TCP6_inuse": 17}


def test_packets_by_cpu(machine: FakeMachine) -> None:
    """A new kernel tells each CPU's number; numbers are hexadecimal."""
    assert samples_in(exposed(Softnet(machine.host))) == {
        'node_softnet_processed_total{cpu="9"}': 16,
        'node_softnet_dropped_total{cpu="9"}': 2,
        'node_softnet_times_squeezed_total{cpu="9"}': 3,
        'node_softnet_cpu_collision_total{cpu="9"}': 4,
        'node_softnet_received_rps_total{cpu="9"}': 5,
        'node_softnet_flow_limit_count_total{cpu="9"}': 6,
        'node_softnet_backlog_len{cpu="9"}': 7,
    }


def test_packets_by_cpu_of_an_old_kernel(machine: FakeMachine) -> None:
    """Where the kernel does not tell a CPU's number, lines are counted; columns that it lacks are 0."""
    machine.write("proc/net/softnet_stat", "0 1 2 3 4 5 6 7 8\n" * 2)
    samples = samples_in(exposed(Softnet(machine.host)))
    assert samples['node_softnet_dropped_total{cpu="1"}'] == 1
    assert samples['node_softnet_backlog_len{cpu="0"}'] == 0


def test_queues_of_udp_are_added_up(machine: FakeMachine) -> None:
    """Bytes to be sent and to be read, by version of IP; a machine may lack one."""
    assert samples_in(exposed(UdpQueues(machine.host))) == {
        'node_udp_queues{queue="tx",ip="v4"}': 21,
        'node_udp_queues{queue="rx",ip="v4"}': 258,
    }


def test_queues_of_many_sockets(machine: FakeMachine) -> None:
    """The kernel hands out a long table in parts; all of them count."""
    machine.write("proc/net/udp6", UDP + "".join(SOCKET.format(number, 1, 2) for number in range(2000)))
    samples = samples_in(exposed(UdpQueues(machine.host)))
    assert samples['node_udp_queues{queue="tx",ip="v6"}'] == 2000
    assert samples['node_udp_queues{queue="rx",ip="v6"}'] == 4000


def test_tracked_connections(machine: FakeMachine) -> None:
    """What CPUs counted is added up by its heading, wherever the column stands; what a kernel lacks is 0."""
    samples = samples_in(exposed(Conntrack(machine.host)))
    assert samples["node_nf_conntrack_entries"] == 123
    assert samples["node_nf_conntrack_entries_limit"] == 65536
    assert samples["node_nf_conntrack_stat_found"] == 17
    assert samples["node_nf_conntrack_stat_drop"] == 11
    assert samples["node_nf_conntrack_stat_search_restart"] == 0


def test_traffic_and_backends_of_the_load_balancer(machine: FakeMachine) -> None:
    """Totals are hexadecimal; a service is an address and port, or a mark of the firewall."""
    samples = samples_in(exposed(Ipvs(machine.host)))
    assert samples["node_ipvs_connections_total"] == 0x16AA370
    assert samples["node_ipvs_incoming_bytes_total"] == 0x51D8
    for labels, weight in {
        'local_address="192.168.0.22",local_port="3306",remote_address="192.168.82.22",remote_port="3306",proto="TCP"'
        ',local_mark=""': 100,
        'local_address="2620::1",local_port="53",remote_address="2620::2",remote_port="53",proto="UDP"'
        ',local_mark=""': 1,
        'local_address="",local_port="0",remote_address="192.168.50.26",remote_port="3306",proto="FWM"'
        ',local_mark="10001000"': 20,
    }.items():
        assert samples[f"node_ipvs_backend_weight{{{labels}}}"] == weight


@pytest.mark.parametrize(
    ("labels", "active"),
    [
        ("proto", {'{proto="TCP"}': 249, '{proto="UDP"}': 2, '{proto="FWM"}': 64}),
        ("local_mark,local_port", {'{local_port="3306",local_mark=""}': 249, '{local_port="53",local_mark=""}': 2}),
        ("", {"": 315}),
    ],
)
def test_backends_that_labels_do_not_tell_apart_are_added_up(
    machine: FakeMachine, labels: str, active: dict[str, float]
) -> None:
    """Labels stand in their usual order; an empty list adds all of them up."""
    samples = samples_in(exposed(Ipvs(machine.host, ipvs.Options(backend_labels=labels))))
    shown = {name: samples.get(f"node_ipvs_backend_connections_active{name}") for name in active}
    assert shown == active


def test_an_unknown_label_of_backends_is_refused() -> None:
    """The message tells it, and those that there are."""
    with pytest.raises(ValueError, match="unknown labels of backends: weight; known are local_address"):
        ipvs.Options(backend_labels="proto,weight")
