"""Events and states of virtual memory, from /proc/vmstat: one metric a line, `node_vmstat_<field>`.

By default only what tells of pressure is published: paging, swapping, page faults and kills for lack of memory.
The metrics have no type, since the file mixes counters with states and does not say which is which.
Format: proc_vmstat(5).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Metric, untyped
from exporters.host import Host
from exporters.options import Pattern, option
from exporters.readers.pairs import PART_OF_A_NAME, Pairs

FIELDS = re.compile("^(oom_kill|pgpg|pswp|pg.*fault).*")
LINE = re.compile(r"(\S+) +(\d+)() *", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """Which fields are published."""

    fields: Pattern = option(FIELDS, "Fields of /proc/vmstat to publish.")


class VmStat:
    """Reads one file."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._fields = (options if options is not None else Options()).fields
        self._pairs = Pairs(host.proc.keep("vmstat"), LINE, "`name number`", self._metric_of)

    def collect(self, now: float) -> Iterator[Family]:
        return self._pairs.collect()

    def _metric_of(self, name: str, unit: str) -> Metric | None:
        if not self._fields.search(name) or not PART_OF_A_NAME.fullmatch(name):
            return None
        return untyped(f"node_vmstat_{name}", f"Field {name} of /proc/vmstat.")
