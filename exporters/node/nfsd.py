"""What this machine does as an NFS server, from /proc/net/rpc/nfsd, which is there once the server is loaded.

Format: fs/nfsd/stats.c of the kernel; operations of version 4 stand in the order of RFC 7530, section 16. The lines
of metrics that newer kernels have given up, such as the read-ahead cache, may be absent: these are 0 then.
"""

from collections.abc import Iterator

from exporters.collector import Family, Labels, Metric, Sample, counter, gauge, required
from exporters.host import Host
from exporters.node.nfs import V2, V3
from exporters.readers.rpc import methods, parse

V4 = methods(
    "Access Close Commit Create DelegPurge DelegReturn GetAttr GetFH Link Lock Lockt Locku Lookup LookupRoot Nverify"
    " Open OpenAttr OpenConfirm OpenDgrd PutFH PutPubFH PutRootFH Read ReadDir ReadLink Remove Rename Renew RestoreFH"
    " SaveFH SecInfo SetAttr SetClientID SetClientIDConfirm Verify Write RelLockOwner"
)
V4_FIRST = 3
"""The numbers of operations begin with 3, `Access`."""

V4_LEAST = 39
"""Kernels before 2.6 lack the last operation."""

PACKETS = counter("node_nfsd_packets_total", "Packets to and from NFS clients by protocol.", "proto")
ERRORS = counter("node_nfsd_rpc_errors_total", "Remote procedure calls that were refused, by reason.", "error")
REQUESTS = counter("node_nfsd_requests_total", "NFS requests by method and version of the protocol.", "proto", "method")

SINGLE: tuple[tuple[str, int, Metric], ...] = (
    ("rc", 0, counter("node_nfsd_reply_cache_hits_total", "Requests that the reply cache had the answer to.")),
    ("rc", 1, counter("node_nfsd_reply_cache_misses_total", "Requests that the reply cache had no answer to.")),
    ("rc", 2, counter("node_nfsd_reply_cache_nocache_total", "Requests that the reply cache has nothing to do with.")),
    ("fh", 0, counter("node_nfsd_file_handles_stale_total", "Requests with a file handle that is no longer valid.")),
    ("io", 0, counter("node_nfsd_disk_bytes_read_total", "Bytes that were read for clients.")),
    ("io", 1, counter("node_nfsd_disk_bytes_written_total", "Bytes that were written for clients.")),
    ("th", 0, gauge("node_nfsd_server_threads", "Threads of the NFS server.")),
    ("ra", 0, gauge("node_nfsd_read_ahead_cache_size_blocks", "Blocks that the read-ahead cache holds.")),
    ("ra", 11, counter("node_nfsd_read_ahead_cache_not_found_total", "Reads that the read-ahead cache did not have.")),
    ("net", 3, counter("node_nfsd_connections_total", "TCP connections of NFS clients.")),
    ("rpc", 0, counter("node_nfsd_server_rpcs_total", "Remote procedure calls of NFS clients.")),
)
"""Line, place in it, and metric."""

LEAST = {
    "rc": 3,
    "fh": 5,
    "io": 2,
    "th": 2,
    "ra": 12,
    "net": 4,
    "rpc": 5,
    "proc2": len(V2),
    "proc3": len(V3),
    "proc4ops": V4_LEAST,
    "wdeleg_getattr": 1,
}
COUNTED = ("proc2", "proc3", "proc4ops")


def _labels(version: str, names: list[str], first: int) -> list[tuple[Labels, int]]:
    """The labels of a version's methods, each with its place in the line; what does nothing is not published."""
    silent = ("Null", "PutPubFH", "PutRootFH")
    return [((version, method), place) for place, method in enumerate(names, first) if method not in silent]


METHODS = {"proc2": _labels("2", V2, 0), "proc3": _labels("3", V3, 0), "proc4ops": _labels("4", V4, V4_FIRST)}
DELEGATED = ("4", "WdelegGetattr")


class Nfsd:
    """Reads one file at each scrape."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("net/rpc/nfsd")

    def collect(self, now: float) -> Iterator[Family]:
        lines = parse(required(self._file.read_record()), self._file.path, LEAST, COUNTED)
        for key, place, metric in SINGLE:
            yield metric.single(lines[key][place])
        _, udp, tcp, *_ = lines["net"]
        yield PACKETS.family([(("udp",), udp), (("tcp",), tcp)])
        _, _, form, authentication, client, *_ = lines["rpc"]
        yield ERRORS.family([(("fmt",), form), (("auth",), authentication), (("cInt",), client)])
        samples: list[Sample] = []
        for key, places in METHODS.items():
            numbers = [*lines[key], 0]  # the last operation may be lacking
            samples += [(labels, numbers[place]) for labels, place in places]
        samples.append((DELEGATED, lines["wdeleg_getattr"][0]))
        yield REQUESTS.family(samples)
