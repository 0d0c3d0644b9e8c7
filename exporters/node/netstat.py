"""Counters of the network protocols, from /proc/net/netstat, /proc/net/snmp and /proc/net/snmp6.

The first two hold pairs of lines, `Tcp: ActiveOpens …` and `Tcp: 3556 …`; the third a line a counter,
`Ip6InReceives  7`. They list some 400 counters, always in the same order: which of them are published is found out
when the names change, and what they say when the numbers do, not at each scrape.
Format: Documentation/networking/snmp_counter.rst; RFC 4293 and others.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from exporters.collector import Family, Malformed, Metric, NoData, required, untyped
from exporters.host import Host, Reason, Unreadable
from exporters.options import Pattern, option

FIELDS = re.compile(
    r"^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)"
    r"|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)"
    r"|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
    r"|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$"
)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
NAME_OF_6 = re.compile(r"([A-Za-z]*6)([A-Za-z0-9]+)")
"""`Ip6InReceives` is `InReceives` of `Ip6`."""

LOWEST, BEYOND = -(1 << 63), 1 << 64


@dataclass(frozen=True, slots=True)
class Options:
    """Which counters are published."""

    fields: Pattern = option(FIELDS, "Counters to publish, by names such as TcpExt_ListenDrops.")


class Picks:
    """What is published of a list of numbers: its places and metrics, and the families that were made of it last.

    `head` and `width` are the whole list's.
    """

    __slots__ = ("families", "head", "metrics", "numbers", "places", "width")

    def __init__(self, head: str, width: int, places: list[int], metrics: list[Metric]) -> None:
        self.head = head
        self.width = width
        self.places = places
        self.metrics = metrics
        self.numbers = ""
        self.families: dict[Metric, Family] = {}

    def take(self, path: str, line: int, numbers: str, words: Sequence[str]) -> None:
        """Make the families of the words in a list of numbers. Raises Malformed."""
        try:
            values = [int(words[place]) for place in self.places]
        except ValueError as error:
            raise Malformed(path, line, "whole numbers", numbers) from error
        if values and not LOWEST <= min(values) <= max(values) < BEYOND:
            raise Malformed(path, line, "numbers of 64 bits at most", numbers)
        self.families = {metric: metric.single(value) for metric, value in zip(self.metrics, values, strict=True)}
        self.numbers = numbers


MOST_KEPT = 64
"""Lists of names whose picks are kept; a machine has about ten, of which that of IcmpMsg changes now and then."""


class NetStat:
    """A machine may lack IPv6."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._pattern = (options if options is not None else Options()).fields
        self._tables = (host.proc.keep("net/netstat"), host.proc.keep("net/snmp"))
        self._list = host.proc.keep("net/snmp6")
        self._metrics: dict[str, Metric] = {}
        self._picks: dict[str, Picks] = {}
        self._of_list = Picks("", 0, [], [])

    def collect(self, now: float) -> Iterator[Family]:
        families: dict[Metric, Family] = {}
        for file in self._tables:
            self._take_table(file.path, required(file.read()), families)
        content = self._list.read()
        if not isinstance(content, Unreadable):
            self._take_list(self._list.path, content.decode(errors="replace"), families)
        elif content.reason is not Reason.ABSENT:
            raise NoData(str(content))
        yield from families.values()

    def _take_table(self, path: str, text: str, families: dict[Metric, Family]) -> None:
        lines = text.splitlines()
        if not lines or len(lines) % 2:
            raise Malformed(path, len(lines), "pairs of lines, one of names and one of numbers")
        for at in range(0, len(lines), 2):
            names, numbers = lines[at : at + 2]
            picks = self._picks.get(names) or self._pick(names, keys_of_table)
            if picks.places:
                if numbers != picks.numbers:
                    words = numbers.split()
                    if len(words) != picks.width or words[0] != picks.head:
                        raise Malformed(path, at + 2, "as many numbers as names", numbers)
                    picks.take(path, at + 2, numbers, words)
                families.update(picks.families)

    def _take_list(self, path: str, text: str, families: dict[Metric, Family]) -> None:
        if text != self._of_list.numbers:
            words = text.split()
            names = " ".join(words[::2])
            if len(words) != 2 * text.count("\n"):
                raise Malformed(path, 0, "lines of a name and a number")
            picks = self._picks.get(names) or self._pick(names, keys_of_list)
            picks.take(path, 0, text, words[1::2])
            self._of_list = picks
        families.update(self._of_list.families)

    def _pick(self, names: str, keys: Callable[[str], list[str]]) -> Picks:
        """Find out what is published of a list of numbers with these names."""
        if len(self._picks) >= MOST_KEPT:
            self._picks.clear()
        words = names.split(" ")
        chosen = [(place, key) for place, key in enumerate(keys(names)) if key and self._pattern.search(key)]
        metrics = [self._metric(key) for _, key in chosen]
        picks = self._picks[names] = Picks(words[0], len(words), [place for place, _ in chosen], metrics)
        return picks

    def _metric(self, key: str) -> Metric:
        if key not in self._metrics:
            protocol, _, name = key.partition("_")
            self._metrics[key] = untyped(f"node_netstat_{key}", f"Counter {name} of {protocol}.")
        return self._metrics[key]


def keys_of_table(names: str) -> list[str]:
    """`Tcp: ActiveOpens` → `Tcp_ActiveOpens` in the place of `ActiveOpens`; what is no name is empty."""
    head, *rest = names.split(" ")
    protocol = head.removesuffix(":")
    return ["", *(f"{protocol}_{name}" if NAME.fullmatch(protocol) and NAME.fullmatch(name) else "" for name in rest)]


def keys_of_list(names: str) -> list[str]:
    """`Ip6InReceives` → `Ip6_InReceives`; what is no name of IPv6 is empty."""
    matches = (NAME_OF_6.fullmatch(name) for name in names.split(" "))
    return [f"{match[1]}_{match[2]}" if match else "" for match in matches]
