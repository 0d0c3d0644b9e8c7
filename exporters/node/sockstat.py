"""Sockets in use by protocol, from /proc/net/sockstat and /proc/net/sockstat6.

A line a protocol: `TCP: inuse 4 orphan 0 tw 4 alloc 17 mem 1`. `mem` is pages, `memory` bytes. Format: proc_net(5).
"""

import os
import re
from collections.abc import Iterator

from exporters.collector import Family, Malformed, Metric, NoData, gauge
from exporters.host import Host, Reason, Unreadable

USED = gauge("node_sockstat_sockets_used", "Sockets in use, of all families.")
HELPS = {
    "inuse": "{} sockets in use.",
    "orphan": "{} sockets that no process holds any more.",
    "tw": "{} sockets that wait for stray packets after their end.",
    "alloc": "{} sockets allocated, in any state.",
    "mem": "Pages of memory that {} sockets hold.",
    "mem_bytes": "Bytes of memory that {} sockets hold, in whole pages.",
    "memory": "Bytes of memory that {} holds.",
}
LINE = re.compile(r"([A-Za-z][A-Za-z0-9]*):((?: [a-z]+ -?[0-9]{1,19})+) *")


class SockStat:
    """A machine may lack IPv4 or IPv6."""

    def __init__(self, host: Host, page_size: int = os.sysconf("SC_PAGE_SIZE")) -> None:
        self._files = (host.proc.keep("net/sockstat"), host.proc.keep("net/sockstat6"))
        self._page_size = page_size
        self._metrics: dict[tuple[str, str], Metric] = {}
        self._lines: dict[str, tuple[str, list[Family]]] = {}

    def collect(self, now: float) -> Iterator[Family]:
        lines: dict[str, tuple[str, list[Family]]] = {}
        for file in self._files:
            content = file.read()
            if not isinstance(content, Unreadable):
                for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
                    # most lines are as they were, those of protocols that nobody uses always
                    lines[line] = self._lines.get(line) or self._parsed(file.path, number, line)
            elif content.reason is not Reason.ABSENT:
                raise NoData(str(content))
        self._lines = lines
        for families in dict(lines.values()).values():  # each protocol once
            yield from families

    def _parsed(self, path: str, number: int, line: str) -> tuple[str, list[Family]]:
        match = LINE.fullmatch(line)
        if not match:
            raise Malformed(path, number, "`PROTOCOL: name number …`", line)
        protocol, words = match[1], match[2].split()
        values = dict(zip(words[::2], map(int, words[1::2]), strict=True))
        if protocol == "sockets":
            return protocol, [USED.single(values["used"])] if "used" in values else []
        if "mem" in values:
            values["mem_bytes"] = values["mem"] * self._page_size
        return protocol, [self._metric(protocol, name).single(values[name]) for name in HELPS if name in values]

    def _metric(self, protocol: str, name: str) -> Metric:
        key = (protocol, name)
        if key not in self._metrics:
            self._metrics[key] = gauge(f"node_sockstat_{protocol}_{name}", HELPS[name].format(protocol))
        return self._metrics[key]
