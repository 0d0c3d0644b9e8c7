"""What each NFS mount did, from /proc/self/mountstats: bytes, events, transports, and operations by name.

Mounts of one export by one protocol share their counters in the kernel, so the first of them stands for all; the
mount points are labels of `mountpoint_info`. The server's address stands in the mount table, /proc/self/mountinfo.
"""

from collections.abc import Iterator

from exporters.collector import Family, Labels, Malformed, Metric, Sample, counter, gauge, required
from exporters.host import Host
from exporters.readers import nfs_mounts
from exporters.readers.nfs_mounts import NfsMount

PREFIX = "node_mountstats_nfs_"
MOUNT = ("export", "protocol", "mountaddr")

MOUNT_POINT = gauge(f"{PREFIX}mountpoint_info", "Always 1; tells where an export is mounted.", *MOUNT, "mountpoint")
AGE = counter(f"{PREFIX}age_seconds_total", "Seconds since the export was mounted.", *MOUNT)


def _counters(prefix: str, names: dict[str, str], *labels: str) -> list[Metric]:
    return [counter(f"{PREFIX}{prefix}{name}_total", help, *MOUNT, *labels) for name, help in names.items()]


BYTES = _counters(
    "",
    {
        "read_bytes": "Bytes that programs read.",
        "write_bytes": "Bytes that programs wrote.",
        "direct_read_bytes": "Bytes that programs read with O_DIRECT.",
        "direct_write_bytes": "Bytes that programs wrote with O_DIRECT.",
        "total_read_bytes": "Bytes that were read from the server.",
        "total_write_bytes": "Bytes that were written to the server.",
        "read_pages": "Pages that were read from the server.",
        "write_pages": "Pages that were written to the server.",
    },
)

EVENTS = _counters(
    "event_",
    {
        "inode_revalidate": "Times that attributes of an inode were checked with the server.",
        "dnode_revalidate": "Times that a directory entry was checked with the server.",
        "data_invalidate": "Times that the cached data of an inode was dropped.",
        "attribute_invalidate": "Times that the cached attributes of an inode were dropped.",
        "vfs_open": "Files and directories that were opened.",
        "vfs_lookup": "Names that were looked up in directories.",
        "vfs_access": "Times that permissions were checked.",
        "vfs_update_page": "Pages that were changed.",
        "vfs_read_page": "Reads of one page.",
        "vfs_read_pages": "Reads of a group of pages.",
        "vfs_write_page": "Writes of one page.",
        "vfs_write_pages": "Writes of a group of pages.",
        "vfs_getdents": "Reads of directories.",
        "vfs_setattr": "Times that attributes were set.",
        "vfs_flush": "Times that changes were flushed to the server.",
        "vfs_fsync": "Calls of fsync.",
        "vfs_lock": "Times that a lock was asked for.",
        "vfs_file_release": "Files that were closed.",
        "congestion_wait": "Waits for congestion, of which no kernel counts any.",
        "truncation": "Files that were truncated.",
        "write_extension": "Files that grew by a write beyond their end.",
        "silly_rename": "Open files that were removed.",
        "short_read": "Reads that the server answered with too little.",
        "short_write": "Writes of which the server took too little.",
        "jukebox_delay": "Times that the server asked for patience.",
        "pnfs_read": "Reads by pNFS.",
        "pnfs_write": "Writes by pNFS.",
    },
)
UNUSED = EVENTS[18]
"""Of no kernel; it stands there all the same, and is not published."""

OPERATIONS = _counters(
    "operations_",
    {
        "requests": "Requests by operation.",
        "transmissions": "Requests that were sent, repetitions included, by operation.",
        "major_timeouts": "Requests that timed out for good, by operation.",
        "sent_bytes": "Bytes that were sent, by operation.",
        "received_bytes": "Bytes that were received, by operation.",
        "queue_time_seconds": "Seconds that requests waited to be sent, by operation.",
        "response_time_seconds": "Seconds from sending a request to its answer, by operation.",
        "request_time_seconds": "Seconds from asking for a request to its end, by operation.",
    },
    "operation",
)
MILLISECONDS_FROM = 5
"""From this place on, the numbers of an operation are milliseconds."""

_TRANSPORT = (*MOUNT, "transport")
TRANSPORTS: dict[int, Metric] = {
    1: counter(f"{PREFIX}transport_bind_total", "Times that a local port was bound.", *_TRANSPORT),
    2: counter(f"{PREFIX}transport_connect_total", "Connections that were made to the server.", *_TRANSPORT),
    4: gauge(f"{PREFIX}transport_idle_time_seconds", "Seconds since the last request or answer.", *_TRANSPORT),
    5: counter(f"{PREFIX}transport_sends_total", "Requests that were sent.", *_TRANSPORT),
    6: counter(f"{PREFIX}transport_receives_total", "Answers that were received.", *_TRANSPORT),
    7: counter(f"{PREFIX}transport_bad_transaction_ids_total", "Answers to no known request.", *_TRANSPORT),
    9: counter(f"{PREFIX}transport_backlog_queue_total", "Sum of the backlog's lengths at each request.", *_TRANSPORT),
    10: gauge(f"{PREFIX}transport_maximum_rpc_slots", "Most requests that were under way at once.", *_TRANSPORT),
    11: counter(
        f"{PREFIX}transport_sending_queue_total", "Sum of the sending queue's lengths at each request.", *_TRANSPORT
    ),
    12: counter(
        f"{PREFIX}transport_pending_queue_total", "Sum of the pending queue's lengths at each request.", *_TRANSPORT
    ),
}
"""By their place in a line of TCP, less the protocol."""
IDLE = 4

EXACT = 1 << 53
"""Where floats begin to skip whole numbers. Times near 2^64, as clocks that went back leave them, begin anew here."""


class _Scrape:
    """The samples of one scrape by metric."""

    def __init__(self) -> None:
        self.samples: dict[Metric, list[Sample]] = {}
        self._seen: set[Labels] = set()

    def mount(self, mount: NfsMount, address: str) -> None:
        """Add a mount: where it is, and what it did unless another mount of the same export told it."""
        for protocol, _ in mount.transports:
            export = mount.export, protocol, address
            self._once(MOUNT_POINT, (*export, mount.mountpoint))
            if export in self._seen:
                break
            self._seen.add(export)
            self._export(mount, export)

    def _export(self, mount: NfsMount, export: Labels) -> None:
        self._add(AGE, export, mount.age)
        for metric, value in zip(BYTES, mount.bytes, strict=False):
            self._add(metric, export, value)
        for metric, value in zip(EVENTS, mount.events, strict=False):
            if metric is not UNUSED:
                self._add(metric, export, value)
        for index, (_, numbers) in enumerate(mount.transports):
            for place, metric in TRANSPORTS.items():
                idle = place == IDLE
                self._add(metric, (*export, str(index)), numbers[place] % EXACT if idle else numbers[place])
        for operation, numbers in mount.operations.items():
            for place, metric in enumerate(OPERATIONS):
                timed = place >= MILLISECONDS_FROM
                self._add(metric, (*export, operation), numbers[place] % EXACT / 1000 if timed else numbers[place])

    def _once(self, metric: Metric, labels: Labels) -> None:
        if labels not in self._seen:
            self._seen.add(labels)
            self._add(metric, labels, 1)

    def _add(self, metric: Metric, labels: Labels, value: float) -> None:
        self.samples.setdefault(metric, []).append((labels, value))


class MountStats:
    """Reads both files at each scrape: counters and mount table, as this process sees them."""

    def __init__(self, host: Host) -> None:
        self._stats = host.proc.keep("self/mountstats")
        self._table = host.proc.keep("self/mountinfo")

    def collect(self, now: float) -> Iterator[Family]:
        text = required(self._stats.read())
        table = required(self._table.read()) if nfs_mounts.TYPE in text else ""
        addresses = nfs_mounts.addresses(table)
        scrape = _Scrape()
        problems: list[Malformed] = []
        for mount in nfs_mounts.parse(text, self._stats.path):
            if isinstance(mount, Malformed):
                problems.append(mount)
                continue
            known = addresses.get(mount.key)
            scrape.mount(mount, known.pop(0) if known else "")
        for metric, samples in scrape.samples.items():
            yield metric.family(samples)
        if problems:
            raise problems[0]
