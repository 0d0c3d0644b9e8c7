"""Sockets in use by protocol, from /proc/net/sockstat and /proc/net/sockstat6.

A line a protocol: `TCP: inuse 4 orphan 0 tw 4 alloc 17 mem 1`. `mem` is pages, `memory` bytes. Format: proc_net(5).
"""

import os
import re
from collections.abc import Iterator

from exporters.collector import Family, Malformed, Metric, NoData, gauge, whole
from exporters.host import Host, KeptFile, Reason, Unreadable

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
FORM = "`PROTOCOL: name number …`"
PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9]*")


class SockStat:
    """A machine may lack IPv4 or IPv6."""

    def __init__(self, host: Host, page_size: int = os.sysconf("SC_PAGE_SIZE")) -> None:
        self._files = (host.proc.keep("net/sockstat"), host.proc.keep("net/sockstat6"))
        self._page_size = page_size
        self._metrics: dict[tuple[str, str], Metric] = {}

    def collect(self, now: float) -> Iterator[Family]:
        values: dict[tuple[str, str], int] = {}
        for file in self._files:
            content = file.read()
            if not isinstance(content, Unreadable):
                values |= parse(content.decode(errors="replace"), file)
            elif content.reason is not Reason.ABSENT:
                raise NoData(str(content))
        for key, value in values.items():
            protocol, name = key
            if protocol == "sockets":
                if key == ("sockets", "used"):
                    yield USED.single(value)
            elif name in HELPS:
                yield self._metric(key).single(value)
                if name == "mem":
                    yield self._metric((protocol, "mem_bytes")).single(value * self._page_size)

    def _metric(self, key: tuple[str, str]) -> Metric:
        metric = self._metrics.get(key)
        if metric is None:
            protocol, name = key
            metric = gauge(f"node_sockstat_{protocol}_{name}", HELPS[name].format(protocol))
            self._metrics[key] = metric
        return metric


def parse(text: str, file: KeptFile) -> dict[tuple[str, str], int]:
    """Protocol and name → number. Raises Malformed."""
    values: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        head, *words = line.split() or [""]
        protocol = head.removesuffix(":")
        try:
            numbers = [whole(word) for word in words[1::2]]
        except ValueError as error:
            raise Malformed(file.path, number, FORM, line) from error
        if not words or len(words) % 2 or not PROTOCOL.fullmatch(protocol):
            raise Malformed(file.path, number, FORM, line)
        values.update(zip([(protocol, name) for name in words[::2]], numbers, strict=True))
    return values
