"""The machine's network devices over rtnetlink(7): their names by index, and their counters.

RTM_GETSTATS (Linux 4.7) gives the counters of all devices as numbers: for each device a fifth of the time that
/proc/net/dev and /sys take together, a twentieth of what RTM_GETLINK takes, which tells everything else as well. It
does not tell names; those are asked for once, and again when /sys/class/net shows that a device came, went or was
renamed. Format: linux/if_link.h, `struct if_stats_msg` and `struct rtnl_link_stats64`.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from struct import Struct

from exporters.host import Host, Unreadable
from exporters.readers.rtattr import attribute, attributes, text

NETLINK_ROUTE = 0

COUNTERS = (
    *("rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped"),
    *("multicast", "collisions"),
    *("rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors", "rx_fifo_errors", "rx_missed_errors"),
    *("tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors", "tx_heartbeat_errors", "tx_window_errors"),
    *("rx_compressed", "tx_compressed", "rx_nohandler"),
)
"""The kernel's names, in its order."""

Counters = tuple[int, ...]

_RTM_GETLINK, _RTM_GETSTATS = 18, 94
_IFLA_IFNAME, _IFLA_EXT_MASK = 3, 29
_RTEXT_FILTER_SKIP_STATS = 1 << 3
_IFLA_STATS_LINK_64 = 1

_NUMBER = Struct("=I")
_IFINFOMSG = Struct("=BxHiII")
_IF_STATS_MSG = Struct("=BxHII")
_COUNTERS = Struct(f"={len(COUNTERS)}Q")
_WHOLE = Struct(f"=4xI4xHH{len(COUNTERS)}Q")

_ASK_NAMES = _IFINFOMSG.pack(0, 0, 0, 0, 0) + attribute(_IFLA_EXT_MASK, _NUMBER.pack(_RTEXT_FILTER_SKIP_STATS))
_ASK_COUNTERS = _IF_STATS_MSG.pack(0, 0, 0, 1 << _IFLA_STATS_LINK_64 - 1)


class Links:
    """Knows the names of the devices that `keeps` lets through, from one scrape to the next."""

    def __init__(self, host: Host, keeps: Callable[[str], bool]) -> None:
        self._netlink = host.calls.netlink
        self._sys = host.sys
        self._keeps = keeps
        self._inodes: dict[str, int] | None = None
        self._known: AbstractSet[int] = frozenset()
        self._names: dict[int, str] = {}

    def names(self, indexes: AbstractSet[int]) -> Mapping[int, str]:
        """The names of devices by index, which answer for `indexes` at least. Raises OSError.

        One of `indexes` that is not in it is left out, or was removed a moment ago.
        """
        inodes = self._sys.inodes("class/net")  # names and their inodes: also two devices that swap names show
        seen = None if isinstance(inodes, Unreadable) else inodes
        if seen is None or seen != self._inodes or not self._known >= indexes:
            names = self._ask()
            self._inodes, self._known = seen, names.keys()
            self._names = {index: name for index, name in names.items() if self._keeps(name)}
        return self._names

    def counters(self) -> dict[str, Counters]:
        """The counters of each device by its name, in the order of COUNTERS. Raises OSError."""
        messages: dict[int, bytes] = {}
        for message in self._netlink(NETLINK_ROUTE, _RTM_GETSTATS, _ASK_COUNTERS):
            if len(message) >= _WHOLE.size:
                messages[_NUMBER.unpack_from(message, 4)[0]] = message
        names = self.names(messages.keys())
        return {name: _counters(messages[index]) for index, name in names.items() if index in messages}

    def _ask(self) -> dict[int, str]:
        names: dict[int, str] = {}
        for message in self._netlink(NETLINK_ROUTE, _RTM_GETLINK, _ASK_NAMES):
            name = attributes(message, _IFINFOMSG.size).get(_IFLA_IFNAME)
            if name is not None:
                names[_NUMBER.unpack_from(message, 4)[0]] = text(name)
        return names


def _counters(message: bytes) -> Counters:
    whole = _WHOLE.unpack_from(message)
    if whole[2] == _IFLA_STATS_LINK_64:
        return whole[3:]
    # where numbers must stand at a multiple of eight bytes, an attribute that only fills up comes first
    value = attributes(message, _IF_STATS_MSG.size).get(_IFLA_STATS_LINK_64, b"")
    return _COUNTERS.unpack(value[: _COUNTERS.size].ljust(_COUNTERS.size, b"\0"))
