"""The machine's name and kernel, from uname(2). Node Exporter Full fills its variables from it."""

from collections.abc import Iterator

from exporters.collector import Family, gauge, optional
from exporters.host import Host

INFO = gauge(
    "node_uname_info",
    "Labeled system information as provided by the uname system call.",
    "sysname",
    "release",
    "version",
    "machine",
    "nodename",
    "domainname",
)


class Uname:
    """Asks at each scrape, because a host can be renamed."""

    def __init__(self, host: Host) -> None:
        self._uname = host.calls.uname
        self._domain = host.proc.keep("sys/kernel/domainname")  # os.uname leaves this field out

    def collect(self, now: float) -> Iterator[Family]:
        name = self._uname()
        domain = optional(self._domain.read()) or "(none)"
        yield INFO.family([((name.sysname, name.release, name.version, name.machine, name.nodename, domain), 1)])
