"""How many addresses of neighbours each network device knows (IPv4), over rtnetlink(7) or from /proc/net/arp.

Where rtnetlink is refused, as in a sandbox, the file takes its place. An entry whose device needs no such address
(NUD_NOARP) does not count, as it is not in the file either. Format: rtnetlink(7) on RTM_GETNEIGH, proc(5).
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from exporters.collector import Family, Malformed, gauge, required
from exporters.host import Host
from exporters.options import option
from exporters.readers.interfaces import DeviceOptions
from exporters.readers.links import NETLINK_ROUTE, Links

ENTRIES = gauge("node_arp_entries", "Neighbours that a network device knows, IPv4.", "device")

AF_INET = 2

_RTM_GETNEIGH = 30
_NUD_NOARP = 0x40
_NDMSG = Struct("=B3xIHBB")  # family, index, state, flags, type
_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Options(DeviceOptions):
    """Which devices are published, and where the numbers come from."""

    netlink: bool = option(True, "Ask over rtnetlink where that works, not in /proc/net/arp.")


class Arp:
    """Counts the entries of each device; a device without one is not published."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        chosen = options if options is not None else Options()
        self._file = host.proc.keep("net/arp")
        self._netlink = host.calls.netlink
        self._keeps = chosen.devices.keeps
        self._links = Links(host, self._keeps)
        self._asks = chosen.netlink

    def collect(self, now: float) -> Iterator[Family]:
        yield ENTRIES.family([((device,), count) for device, count in self._entries().items()])

    def _entries(self) -> dict[str, int]:
        if self._asks:
            with contextlib.suppress(OSError):  # asked again at the next scrape: a refusal costs little
                return self._asked()
        entries = parse(required(self._file.read()), self._file.path)
        return {device: count for device, count in entries.items() if self._keeps(device)}

    def _asked(self) -> dict[str, int]:
        messages = self._netlink(NETLINK_ROUTE, _RTM_GETNEIGH, _NDMSG.pack(AF_INET, 0, 0, 0, 0))
        neighbours = [_NDMSG.unpack_from(message) for message in messages if len(message) >= _NDMSG.size]
        indexes = Counter(index for _, index, state, _, _ in neighbours if not state & _NUD_NOARP)
        names = self._links.names(indexes.keys()) if indexes else {}
        return {names[index]: count for index, count in indexes.items() if index in names}


def parse(text: str, path: str) -> Counter[str]:
    """The number of entries by device; each is `address type flags address mask device`. Raises Malformed."""
    heading, *lines = text.removesuffix("\n").split("\n")
    if not heading.startswith("IP address"):
        raise Malformed(path, 1, "a heading that begins with `IP address`", heading)
    entries: Counter[str] = Counter()
    for number, line in enumerate(lines, 2):
        words = line.split(None, _COLUMNS - 1)  # a device's name may hold what is white space to Python
        if len(words) == _COLUMNS and words[2].startswith("0x"):
            entries[words[-1]] += 1
        elif not line.startswith("IP address"):
            raise Malformed(path, number, f"{_COLUMNS} words: address, type, flags, address, mask, device", line)
    return entries
