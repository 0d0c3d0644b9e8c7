"""Traffic of the kernel's load balancer, from /proc/net/ip_vs_stats, and its backends, from /proc/net/ip_vs.

The first file holds two lines of headings and the totals in hexadecimal. The second holds a line for each virtual
service, `TCP  C0A80016:0CEA wlc` or `FWM  10001000 wlc`, and below it a line for each of its backends:
`-> C0A85216:0CEA  Tunnel  100  248  2`, address, way of forwarding, weight, active and inactive connections.
Format: ipvsadm(8), and ip_vs_info_seq_show in the kernel's net/netfilter/ipvs/ip_vs_ctl.c.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from exporters.collector import Family, Malformed, counter, gauge, required
from exporters.host import Host, KeptFile
from exporters.options import option
from exporters.readers.numbers import hexadecimals, natural

TOTALS = (
    counter("node_ipvs_connections_total", "Connections made."),
    counter("node_ipvs_incoming_packets_total", "Packets that came in."),
    counter("node_ipvs_outgoing_packets_total", "Packets that went out."),
    counter("node_ipvs_incoming_bytes_total", "Bytes that came in."),
    counter("node_ipvs_outgoing_bytes_total", "Bytes that went out."),
)
LABELS = ("local_address", "local_port", "remote_address", "remote_port", "proto", "local_mark")

PROTOCOLS = ("TCP", "UDP", "SCTP")
BY_MARK = "FWM"
BACKEND_WORDS = 6
_IPV4, _IPV6 = len("C0A80016:0CEA"), len("[2620:0000:0000:0000:0000:0000:0000:0001]:0050")


@dataclass(frozen=True, slots=True)
class Options:
    """What tells backends apart; those that the chosen labels don't tell apart are added up."""

    backend_labels: str = option(",".join(LABELS), "Labels of the metrics of backends, separated by commas.")

    def __post_init__(self) -> None:
        _ = self.labels

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in their usual order. Raises ValueError."""
        chosen = {label for label in self.backend_labels.split(",") if label}
        if unknown := sorted(chosen.difference(LABELS)):
            raise ValueError(f"unknown labels of backends: {', '.join(unknown)}; known are {', '.join(LABELS)}")
        return tuple(label for label in LABELS if label in chosen)


class Ipvs:
    """No data where the kernel's module is not loaded."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._totals = host.proc.keep("net/ip_vs_stats")
        self._services = host.proc.keep("net/ip_vs")
        labels = (options if options is not None else Options()).labels
        self._places = tuple(LABELS.index(label) for label in labels)
        self._metrics = (
            gauge("node_ipvs_backend_weight", "Weight of a backend.", *labels),
            gauge("node_ipvs_backend_connections_active", "Active connections to a backend.", *labels),
            gauge("node_ipvs_backend_connections_inactive", "Inactive connections to a backend.", *labels),
        )

    def collect(self, now: float) -> Iterator[Family]:
        for metric, total in zip(TOTALS, totals(self._totals), strict=True):
            yield metric.single(total)
        yield from self._backends()

    def _backends(self) -> Iterator[Family]:
        sums: dict[tuple[str, ...], list[int]] = {}
        for labels, numbers in backends(self._services):
            key = tuple([labels[place] for place in self._places])
            before = sums.get(key)
            sums[key] = numbers if before is None else [a + b for a, b in zip(before, numbers, strict=True)]
        for column, metric in enumerate(self._metrics):
            yield metric.family([(key, numbers[column]) for key, numbers in sums.items()])


def totals(file: KeptFile) -> list[int]:
    """Connections, packets in and out, bytes in and out, since the module was loaded. Raises NoData, Malformed."""
    lines = required(file.read()).splitlines()
    line = lines[2] if len(lines) > 2 else ""
    try:
        numbers = hexadecimals(line.split())
    except ValueError as error:
        raise Malformed(file.path, 3, "hexadecimal numbers", line) from error
    if len(numbers) != len(TOTALS):
        raise Malformed(file.path, 3, f"{len(TOTALS)} hexadecimal numbers", line)
    return numbers


def backends(file: KeptFile) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    """For each backend the values of LABELS, and weight, active and inactive connections. Raises NoData, Malformed."""
    service: tuple[str, str, str, str] | None = None
    for number, line in enumerate(required(file.read()).splitlines(), 1):
        words = line.split()
        try:
            if not words or words[:2] == ["->", "RemoteAddress:Port"]:
                continue
            if words[0] != "->":
                service = _service(words)
            elif service is not None:
                address, port, protocol, mark = service
                labels = (address, port, *endpoint(words[1]), protocol, mark)
                weight, active, inactive = words[3:BACKEND_WORDS]
                yield labels, [natural(weight), natural(active), natural(inactive)]
        except (ValueError, IndexError) as error:
            raise Malformed(file.path, number, "a virtual service, or `-> ADDRESS:PORT` of a backend", line) from error


def _service(words: list[str]) -> tuple[str, str, str, str] | None:
    """Address, port, protocol and mark of a virtual service; None for the headings."""
    if words[0] == BY_MARK:
        return "", "0", BY_MARK, words[1]
    return (*endpoint(words[1]), words[0], "") if words[0] in PROTOCOLS else None


@lru_cache(1 << 14)
def endpoint(text: str) -> tuple[str, str]:
    """`C0A80016:0CEA` → `192.168.0.22`, `3306`; IPv6 stands in brackets, in full. Raises ValueError."""
    address, _, port = text.rpartition(":")
    if len(text) == _IPV4:
        shown = socket.inet_ntop(socket.AF_INET, bytes.fromhex(address))
    elif len(text) == _IPV6:
        shown = _ipv6(address.strip("[]"))
    else:
        raise ValueError(f"no address: {text}")
    return shown, str(*hexadecimals([port]))


def _ipv6(address: str) -> str:
    try:
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address))
    except OSError as error:
        raise ValueError(f"no IPv6 address: {address}") from error
