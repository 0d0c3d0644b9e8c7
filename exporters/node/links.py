"""The machine's network devices over rtnetlink(7): their names by index, and their counters.

RTM_GETSTATS (Linux 4.7) gives the counters of all devices as numbers: for each device a fifth of the time that
/proc/net/dev and /sys take together, a twentieth of what RTM_GETLINK takes, which tells everything else as well. It
does not tell names; those are asked for once, and again when /sys/class/net shows that a device came, went or was
renamed. Format: linux/if_link.h, `struct if_stats_msg` and `struct rtnl_link_stats64`.
"""

from collections.abc import Collection, Mapping
from struct import Struct

from exporters.host import Host, Unreadable
from exporters.node.rtattr import attribute, attributes, text

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
    """Knows the names of devices from one scrape to the next."""

    def __init__(self, host: Host) -> None:
        self._netlink = host.calls.netlink
        self._sys = host.sys
        self._inodes: dict[str, int] | None = None
        self._names: dict[int, str] = {}

    def names(self, indexes: Collection[int]) -> Mapping[int, str]:
        """The devices' names by index; the same object as long as nothing changed. Raises OSError.

        One of `indexes` that is not in it was removed a moment ago.
        """
        inodes = self._sys.inodes("class/net")  # names and their inodes: also two devices that swap names show
        known = None if isinstance(inodes, Unreadable) else inodes
        if known is None or known != self._inodes or not self._names.keys() >= set(indexes):
            self._names = self._ask()
            self._inodes = known
        return self._names

    def counters(self) -> dict[int, Counters]:
        """The counters of each device by its index, in the order of COUNTERS. Raises OSError."""
        found: dict[int, Counters] = {}
        for message in self._netlink(NETLINK_ROUTE, _RTM_GETSTATS, _ASK_COUNTERS):
            if len(message) >= _WHOLE.size:
                whole = _WHOLE.unpack_from(message)
                found[whole[0]] = whole[3:] if whole[2] == _IFLA_STATS_LINK_64 else _aligned(message)
        return found

    def _ask(self) -> dict[int, str]:
        names: dict[int, str] = {}
        for message in self._netlink(NETLINK_ROUTE, _RTM_GETLINK, _ASK_NAMES):
            name = attributes(message, _IFINFOMSG.size).get(_IFLA_IFNAME)
            if name is not None:
                names[_NUMBER.unpack_from(message, 4)[0]] = text(name)
        return names


def _aligned(message: bytes) -> Counters:
    """The counters where they stand at a multiple of eight bytes, behind an attribute that only fills up."""
    value = attributes(message, _IF_STATS_MSG.size).get(_IFLA_STATS_LINK_64, b"")
    return _COUNTERS.unpack(value[: _COUNTERS.size].ljust(_COUNTERS.size, b"\0"))
