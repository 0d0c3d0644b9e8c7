"""Memory, from /proc/meminfo: one gauge a line, `node_memory_<Field>_bytes`.

Published are the fields that node_exporter has known since 1.9. A kernel has more of them, such as SecPageTables or
Hugetlb, which node_exporter published up to 1.8: `--collector.meminfo.all-fields` publishes every line.
Format: proc_meminfo(5).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Metric, gauge
from exporters.host import Host
from exporters.options import option
from exporters.readers.pairs import PART_OF_A_NAME, Pairs

_FIELDS = """
    MemTotal MemFree MemAvailable Buffers Cached SwapCached SwapTotal SwapFree Zswap Zswapped
    Active Inactive Active(anon) Inactive(anon) Active(file) Inactive(file) Unevictable Mlocked
    Dirty Writeback WritebackTmp NFS_Unstable Bounce AnonPages Mapped Shmem
    Slab SReclaimable SUnreclaim KernelStack PageTables Percpu HardwareCorrupted
    CommitLimit Committed_AS VmallocTotal VmallocUsed VmallocChunk CmaTotal CmaFree
    AnonHugePages ShmemHugePages ShmemPmdMapped Hugepagesize
    HugePages_Total HugePages_Free HugePages_Rsvd HugePages_Surp
    DirectMap4k DirectMap2M DirectMap1G
"""
FIELDS = frozenset(_FIELDS.split())
"""What node_exporter 1.12 publishes where the kernel has it."""

UNIT = " kB"
LINE = re.compile(rf"([^\s:]+): *(\d+)({UNIT})? *", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """Which fields are published."""

    all_fields: bool = option(
        False, "Publish every field of the running kernel, not only those that node_exporter 1.12 knows."
    )


class MemInfo:
    """Reads one file."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._all = options is not None and options.all_fields
        self._pairs = Pairs(host.proc.keep("meminfo"), LINE, "`Name: number [kB]`", self._metric_of, UNIT)

    def collect(self, now: float) -> Iterator[Family]:
        return self._pairs.collect()

    def _metric_of(self, name: str, unit: str) -> Metric | None:
        """`Active(anon)` becomes `node_memory_Active_anon_bytes`; a number of pages has no unit and no `_bytes`."""
        field = name.replace("(", "_").replace(")", "")
        if name not in FIELDS and not (self._all and PART_OF_A_NAME.fullmatch(field)):
            return None
        return gauge(f"node_memory_{field}{'_bytes' * bool(unit)}", f"Memory information field {field}.")
