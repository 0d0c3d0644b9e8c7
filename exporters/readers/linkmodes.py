"""The link modes of ethtool that fit into 32 bits: speeds, ports and abilities.

Format: `enum ethtool_link_mode_bit_indices` of linux/ethtool.h. The label `mode` is node_exporter's spelling of a name
there; it leaves 2500baseX out.
"""

from typing import NamedTuple

BYTES_A_MEGABIT = 1_000_000 / 8


class Speed(NamedTuple):
    """A speed in bytes a second, and the labels that go with it."""

    bytes_a_second: float
    duplex: str
    mode: str


def _speed(megabits: int, medium: str, duplex: str = "full") -> Speed:
    return Speed(megabits * BYTES_A_MEGABIT, duplex, f"{megabits}base{medium}")


SPEEDS: dict[int, Speed] = {
    0: _speed(10, "T", "half"),
    1: _speed(10, "T"),
    2: _speed(100, "T", "half"),
    3: _speed(100, "T"),
    4: _speed(1000, "T", "half"),
    5: _speed(1000, "T"),
    12: _speed(10_000, "T"),
    17: _speed(1000, "KX"),
    18: _speed(10_000, "KX4"),
    19: _speed(10_000, "KR"),
    20: _speed(10_000, "R_FEC"),
    21: _speed(20_000, "MLD2"),
    22: _speed(20_000, "KR2"),
    23: _speed(40_000, "KR4"),
    24: _speed(40_000, "CR4"),
    25: _speed(40_000, "SR4"),
    26: _speed(40_000, "LR4"),
    27: _speed(56_000, "KR4"),
    28: _speed(56_000, "CR4"),
    29: _speed(56_000, "SR4"),
    30: _speed(56_000, "LR4"),
    31: _speed(25_000, "CR"),
}

PORTS: dict[int, str] = {7: "TP", 8: "AUI", 9: "MII", 10: "FIBRE", 11: "BNC", 16: "Backplane"}

AUTONEGOTIATE, PAUSE, ASYMMETRIC_PAUSE = 6, 13, 14


def has(modes: int, bit: int) -> bool:
    """Whether a bit is set."""
    return bool(modes >> bit & 1)


def speeds(modes: int) -> list[Speed]:
    """The speeds among some modes."""
    return [speed for bit, speed in SPEEDS.items() if has(modes, bit)]


def ports(modes: int) -> list[str]:
    """The kinds of ports among some modes."""
    return [port for bit, port in PORTS.items() if has(modes, bit)]
