"""The addresses of network devices, over rtnetlink(7): RTM_GETADDR, `struct ifaddrmsg` of linux/if_addr.h."""

import socket
from collections.abc import Callable, Iterator
from struct import Struct

from exporters.collector import Family, Labels, NoData, gauge
from exporters.host import Host
from exporters.readers.links import NETLINK_ROUTE, Links
from exporters.readers.rtattr import attributes

INFO = gauge("node_network_address_info", "Addresses of network devices.", "device", "address", "netmask", "scope")

_RTM_GETADDR = 22
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFADDRMSG = Struct("=BBBBI")  # family, bits of the network, flags, scope, index
_LENGTHS = {socket.AF_INET: 4, socket.AF_INET6: 16}


class Addresses:
    """Publishes the addresses of the devices that `keeps` lets through."""

    def __init__(self, host: Host, keeps: Callable[[str], bool]) -> None:
        self._netlink = host.calls.netlink
        self._links = Links(host, keeps)

    def collect(self) -> Iterator[Family]:
        """One family. Raises NoData where rtnetlink is refused."""
        try:
            found = list(_parsed(self._netlink(NETLINK_ROUTE, _RTM_GETADDR, _IFADDRMSG.pack(0, 0, 0, 0, 0))))
            names = self._links.names({index for index, _, _ in found})
        except OSError as error:
            raise NoData(f"rtnetlink(7): {error.strerror or error}") from error
        rows: dict[Labels, float] = {}
        for index, bits, address in found:
            if index in names:
                rows[names[index], shown(address), str(bits), scope(address)] = 1
        yield INFO.family(list(rows.items()))


def _parsed(messages: list[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Index, bits of the network and address of each message; of a point-to-point link our end of it."""
    for message in messages:
        if len(message) >= _IFADDRMSG.size:
            family, bits, _, _, index = _IFADDRMSG.unpack_from(message)
            found = attributes(message, _IFADDRMSG.size)
            address = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS, b"")
            if len(address) == _LENGTHS.get(family):
                yield index, bits, address


def shown(address: bytes) -> str:
    """An address of four or sixteen bytes as people write it."""
    return socket.inet_ntop(socket.AF_INET if len(address) == _LENGTHS[socket.AF_INET] else socket.AF_INET6, address)


def scope(address: bytes) -> str:
    """How far an address reaches, in node_exporter's words, which call loopback link-local as well."""
    v6 = len(address) == _LENGTHS[socket.AF_INET6]
    if v6:
        local = address == bytes(15) + b"\1" or (address[0] == 0xFE and address[1] & 0xC0 == 0x80)
    else:
        local = address[0] == 127 or address[:2] == b"\xa9\xfe"
    if local:
        return "link-local"
    special = address[0] == 0xFF if v6 else address[0] & 0xF0 == 0xE0
    return "" if special or not any(address) or address == b"\xff" * 4 else "global"
