"""What this machine asks of NFS servers, from /proc/net/rpc/nfs, which is there once the NFS client is loaded.

The kernel numbers procedures by their place in a line. Format: net/sunrpc/stats.c; the procedures' order is that of
RFC 1094 (version 2), RFC 1813 (version 3), and of `nfs4_procedures` in fs/nfs/nfs4xdr.c.
"""

from collections.abc import Iterator

from exporters.collector import Family, Labels, Sample, counter, required
from exporters.host import Host
from exporters.readers.rpc import methods, parse

PACKETS = counter("node_nfs_packets_total", "Packets to and from NFS servers by protocol.", "protocol")
CONNECTIONS = counter("node_nfs_connections_total", "TCP connections to NFS servers.")
CALLS = counter("node_nfs_rpcs_total", "Remote procedure calls that were made.")
RETRANSMISSIONS = counter("node_nfs_rpc_retransmissions_total", "Remote procedure calls that were sent again.")
REFRESHES = counter("node_nfs_rpc_authentication_refreshes_total", "Times that credentials had to be made anew.")
REQUESTS = counter("node_nfs_requests_total", "NFS procedures that were called.", "proto", "method")

V2 = methods(
    "Null GetAttr SetAttr Root Lookup ReadLink Read WrCache Write Create Remove Rename Link SymLink MkDir RmDir"
    " ReadDir FsStat"
)
V3 = methods(
    "Null GetAttr SetAttr Lookup Access ReadLink Read Write Create MkDir SymLink MkNod Remove RmDir Rename Link"
    " ReadDir ReadDirPlus FsStat FsInfo PathConf Commit"
)
V4 = methods(
    "Null Read Write Commit Open OpenConfirm OpenNoattr OpenDowngrade Close Setattr FsInfo Renew SetClientID"
    " SetClientIDConfirm Lock Lockt Locku Access Getattr Lookup LookupRoot Remove Rename Link Symlink Create Pathconf"
    " StatFs ReadLink ReadDir ServerCaps DelegReturn GetACL SetACL FsLocations ReleaseLockowner Secinfo FsidPresent"
    " ExchangeID CreateSession DestroySession Sequence GetLeaseTime ReclaimComplete GetDeviceInfo LayoutGet"
    " LayoutCommit LayoutReturn SecinfoNoName TestStateID FreeStateID GetDeviceList BindConnToSession DestroyClientID"
    " Seek Allocate DeAllocate LayoutStats Clone"
)
"""Older kernels know fewer, newer ones more."""

LEAST = {"net": 4, "rpc": 3, "proc2": len(V2), "proc3": len(V3), "proc4": 0}
COUNTED = ("proc2", "proc3", "proc4")
LABELS: dict[str, list[Labels]] = {
    f"proc{version}": [(version, method) for method in names] for version, names in (("2", V2), ("3", V3), ("4", V4))
}


class Nfs:
    """Reads one file at each scrape."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("net/rpc/nfs")

    def collect(self, now: float) -> Iterator[Family]:
        lines = parse(required(self._file.read_record()), self._file.path, LEAST, COUNTED)
        _, udp, tcp, connections, *_ = lines["net"]
        calls, retransmissions, refreshes, *_ = lines["rpc"]
        yield PACKETS.family([(("udp",), udp), (("tcp",), tcp)])
        yield CONNECTIONS.single(connections)
        yield CALLS.single(calls)
        yield RETRANSMISSIONS.single(retransmissions)
        yield REFRESHES.single(refreshes)
        samples: list[Sample] = []
        for key, labels in LABELS.items():
            numbers = lines[key]
            samples += zip(labels, numbers + [0] * (len(labels) - len(numbers)), strict=False)
        yield REQUESTS.family(samples)
