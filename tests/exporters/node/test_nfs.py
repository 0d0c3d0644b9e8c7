"""NFS as client, as server, and by mount."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.collector import Collector, Family, Malformed, NoData
from exporters.host import Host
from exporters.node.mountstats import MountStats
from exporters.node.nfs import Nfs
from exporters.node.nfsd import Nfsd
from exporters.testing import FakeMachine, exposed, samples_in, text_of

MOUNT = """device {export} mounted on {mountpoint} with fstype {fstype} statvers=1.1
\topts:\trw,vers=4.2
\tage:\t{age}
\tevents:\t{events}
\tbytes:\t1 2 3 4 5 6 7 8
\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)
{transports}\tper-op statistics
\t        READ: 10 11 12 13 14 15000 16000 17000 18

"""
TCP = "\txprt:\ttcp 832 0 1 0 11 6428 6429 0 12154 7 24 26 5726\n"
UDP = "\txprt:\tudp 832 2 6428 6429 0 12154 7 24 26 5726\n"
RDMA = f"\txprt:\trdma 0 1 1 0 11 6428 6429 0 12154 7 {' '.join(['99'] * 18)}\n"
OLD = "\txprt:\ttcp 832 0 1 0 11 6428 6429 0 12154 7\n"
NOT_NFS = "device proc mounted on /proc with fstype proc\nno device mounted on /x with fstype tmpfs\n"

EVENTS = " ".join(map(str, range(27)))


def mount(
    export: str = "srv:/a", mountpoint: str = "/mnt/a", transports: str = TCP, *, age: str = "99", events: str = EVENTS
) -> str:
    """A mount as /proc/self/mountstats has it."""
    return MOUNT.format(
        export=export, mountpoint=mountpoint, fstype="nfs4", transports=transports, age=age, events=events
    )


def table(export: str = "srv:/a", mountpoint: str = "/mnt/a", address: str = "10.0.0.1") -> str:
    """The same mount in the mount table."""
    return f"30 21 0:42 / {mountpoint} rw,relatime shared:1 - nfs4 {export} rw,vers=4.2,addr={address}\n"


def mounted(folder: Path, stats: str, mountinfo: str = "") -> MountStats:
    """The collector of a machine with these mounts."""
    machine = FakeMachine(folder)
    machine.write("proc/self/mountstats", NOT_NFS + stats)
    machine.write("proc/self/mountinfo", mountinfo)
    return MountStats(machine.host)


@pytest.mark.parametrize(
    ("collector", "missing"), [(Nfs, "net/rpc/nfs"), (Nfsd, "net/rpc/nfsd"), (MountStats, "self/mountstats")]
)
def test_a_machine_without_nfs_has_no_data(
    tmp_path: Path, collector: Callable[[Host], Collector], missing: str
) -> None:
    """The file that is not there is named."""
    with pytest.raises(NoData, match=missing):
        exposed(collector(FakeMachine(tmp_path).host))


def test_a_client_counts_procedures_by_their_place(tmp_path: Path) -> None:
    """A version that the kernel was built without has zeros, and so have operations that it does not know."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/net/rpc/nfs", "net 70 71 72 45\nrpc 12 3 4\nproc4 3 1 2 3\nproc5 1 9\n")
    samples = samples_in(exposed(Nfs(machine.host)))
    assert samples['node_nfs_packets_total{protocol="udp"}'] == 71
    assert samples["node_nfs_connections_total"] == 45
    assert samples["node_nfs_rpc_retransmissions_total"] == 3
    methods = {name: value for name, value in samples.items() if "requests_total" in name and value}
    assert methods == {
        'node_nfs_requests_total{proto="4",method="Null"}': 1,
        'node_nfs_requests_total{proto="4",method="Read"}': 2,
        'node_nfs_requests_total{proto="4",method="Write"}': 3,
    }
    assert sum("requests_total" in name for name in samples) == 18 + 22 + 59


@pytest.mark.parametrize("operations", [39, 40, 72, 76])
def test_a_server_knows_as_many_operations_as_its_kernel(tmp_path: Path, operations: int) -> None:
    """Those of version 4.0 are published, by their number."""
    machine = FakeMachine(tmp_path)
    numbers = " ".join(map(str, range(operations)))
    machine.write("proc/net/rpc/nfsd", f"th 8 0 0.000 0.000\nproc4ops {operations} {numbers}\nwdeleg_getattr 5\n")
    samples = samples_in(exposed(Nfsd(machine.host)))
    assert samples["node_nfsd_server_threads"] == 8
    assert samples['node_nfsd_requests_total{proto="4",method="Access"}'] == 3
    assert samples['node_nfsd_requests_total{proto="4",method="Write"}'] == 38
    assert samples['node_nfsd_requests_total{proto="4",method="RelLockOwner"}'] == (39 if operations > 39 else 0)
    assert samples['node_nfsd_requests_total{proto="4",method="WdelegGetattr"}'] == 5
    assert 'method="PutRootFH"' not in "".join(samples)


@pytest.mark.parametrize(
    ("collector", "file", "content", "expected"),
    [
        (Nfs, "nfs", "", "nfs: expected lines that begin with net, rpc, proc2, proc3, proc4"),
        (Nfs, "nfs", "x 1\n", "nfs:1: expected lines that begin with net"),
        (Nfs, "nfs", "net 1 2 3\n", "nfs:1: expected 4 numbers after net, got 'net 1 2 3'"),
        (Nfs, "nfs", "net 1 2 3 4\nrpc a b c\n", "nfs:2: expected numbers after rpc"),
        (Nfs, "nfs", "rpc 1 -2 3\n", "nfs:1: expected numbers after rpc"),
        (Nfs, "nfs", f"rpc 1 {2**64} 3\n", "nfs:1: expected numbers after rpc"),
        (Nfs, "nfs", "proc4 3 1 2\n", "nfs:1: expected as many numbers as the first one after proc4 says"),
        (Nfs, "nfs", "proc4\n", "nfs:1: expected as many numbers as the first one after proc4 says"),
        (Nfsd, "nfsd", "proc3 2 1 2\n", "nfsd:1: expected 22 numbers after proc3"),
        (Nfsd, "nfsd", "th 8 x 0.0\n", "nfsd:1: expected numbers after th"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, collector: Callable[[Host], Collector], file: str, content: str, expected: str
) -> None:
    """File, line, what was expected and what stands there."""
    machine = FakeMachine(tmp_path)
    machine.write(f"proc/net/rpc/{file}", content)
    with pytest.raises(Malformed, match=expected):
        exposed(collector(machine.host))


def test_a_mount_is_told_by_export_protocol_and_address(tmp_path: Path) -> None:
    """Bytes, events, operations in seconds, and each transport by its number."""
    samples = samples_in(exposed(mounted(tmp_path, mount(transports=TCP * 2), table())))
    labels = 'export="srv:/a",protocol="tcp",mountaddr="10.0.0.1"'
    expected = {
        f'mountpoint_info{{{labels},mountpoint="/mnt/a"}}': 1,
        f"age_seconds_total{{{labels}}}": 99,
        f"read_bytes_total{{{labels}}}": 1,
        f"write_pages_total{{{labels}}}": 8,
        f"event_vfs_file_release_total{{{labels}}}": 17,
        f"event_truncation_total{{{labels}}}": 19,
        f'operations_received_bytes_total{{{labels},operation="READ"}}': 14,
        f'operations_queue_time_seconds_total{{{labels},operation="READ"}}': 15,
        f'transport_sends_total{{{labels},transport="0"}}': 6428,
        f'transport_pending_queue_total{{{labels},transport="1"}}': 5726,
    }
    assert {name: samples.get(f"node_mountstats_nfs_{name}") for name in expected} == expected
    assert "congestion" not in "".join(samples)


def test_mounts_of_one_export_share_their_counters(tmp_path: Path) -> None:
    """The first stands for all, and each mount point is told."""
    stats = mount(mountpoint="/mnt/a") + mount(mountpoint="/mnt/b", age="1")
    samples = samples_in(exposed(mounted(tmp_path, stats, table(mountpoint="/mnt/a") + table(mountpoint="/mnt/b"))))
    infos = [name for name in samples if "mountpoint_info" in name]
    assert [name.partition('mountpoint="')[2] for name in infos] == ['/mnt/a"}', '/mnt/b"}']
    assert [value for name, value in samples.items() if "age_seconds" in name] == [99]


def test_the_address_is_that_of_the_same_mount(tmp_path: Path) -> None:
    """Whatever else stands in the mount table, in whichever order; a mount that is not there has none."""
    stats = mount("srv:/a", "/mnt/a") + mount("srv:/b", "/mnt/b") + mount("srv:/c", "/mnt/c")
    mountinfo = "1 1 0:5 / / rw - ext4 /dev/sda rw\n" + table("srv:/b", "/mnt/b", "b") + table("srv:/a", "/mnt/a", "a")
    samples = samples_in(exposed(mounted(tmp_path, stats, mountinfo)))
    ages = [name for name in samples if "age_seconds" in name]
    assert [name.partition('mountaddr="')[2] for name in ages] == ['a"}', 'b"}', '"}']


@pytest.mark.parametrize(
    ("transport", "protocol", "idle", "binds", "slots"),
    [(TCP, "tcp", 11, 0, 24), (UDP, "udp", 0, 2, 24), (RDMA, "rdma", 11, 1, 0), (OLD, "tcp", 11, 0, 0)],
)
def test_each_protocol_has_its_own_numbers(
    tmp_path: Path, transport: str, protocol: str, idle: int, binds: int, slots: int
) -> None:
    """UDP has no connections; RDMA, and kernels before 3.6, count no slots and queues."""
    samples = samples_in(exposed(mounted(tmp_path, mount(transports=transport), table())))
    labels = f'{{export="srv:/a",protocol="{protocol}",mountaddr="10.0.0.1",transport="0"}}'
    metrics = {
        name: samples[f"node_mountstats_nfs_transport_{name}{labels}"]
        for name in ("idle_time_seconds", "bind_total", "maximum_rpc_slots", "receives_total", "backlog_queue_total")
    }
    assert list(metrics.values()) == [idle, binds, slots, 6429, 7]


def test_times_that_went_below_zero_begin_anew(tmp_path: Path) -> None:
    """As kernels have left them near 2^64: what a float can't tell apart is cut off, as node_exporter does."""
    stats = mount().replace("15000", str(2**64 - 1000))
    samples = samples_in(exposed(mounted(tmp_path, stats, table())))
    (value,) = [value for name, value in samples.items() if "queue_time" in name]
    assert value == (2**64 - 1000) % 2**53 / 1000


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (mount(age="old"), r"mountstats:5: expected 1 seconds after age:, got '\\tage:\\told'"),
        (mount(events="1 2"), "mountstats:6: expected 27 numbers after events:"),
        (mount(transports="\txprt:\ttcp 1 2\n"), "mountstats:9: expected 10 numbers after xprt: and the protocol"),
        (mount(transports="\txprt:\n"), "mountstats:9: expected 10 numbers after xprt: and the protocol"),
        (mount().replace("16000", "x"), "mountstats:11: expected 8 numbers after READ:"),
    ],
)
def test_a_broken_mount_costs_only_itself(tmp_path: Path, broken: str, expected: str) -> None:
    """The other mount is published, and then file and line are named."""
    families: list[Family] = []
    collector = mounted(tmp_path, broken + mount("srv:/b", "/mnt/b"))
    with pytest.raises(Malformed, match=expected):
        families.extend(collector.collect(0))  # keeps what comes before the error
    ages = [name for name in samples_in(text_of(families)) if "age_seconds" in name]
    assert ages == ['node_mountstats_nfs_age_seconds_total{export="srv:/b",protocol="tcp",mountaddr=""}']


def test_what_is_no_list_of_mounts_is_named(tmp_path: Path) -> None:
    """Every process has mounts."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/self/mountstats", "rubbish\n")
    machine.write("proc/self/mountinfo", "")
    with pytest.raises(Malformed, match="mountstats:1: expected lines `device … mounted on"):
        exposed(MountStats(machine.host))
