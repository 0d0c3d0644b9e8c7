"""Options of collectors: the flags that they become, and filters of names."""

import re
from dataclasses import dataclass

import pytest

from exporters.options import Flag, NameFilter, Pattern, either, flags_of, option

DEFAULT = re.compile("^loop")


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a collector called disk."""

    device_exclude: Pattern | None = option(DEFAULT, "Devices to leave out.")
    enable_extras: bool = option(False, "More of it.", flag="collector.disks.extras")


def test_a_field_is_a_flag() -> None:
    """Hyphens for underscores below the collector's name; an irregular name is written out."""
    assert list(flags_of("disk", Options)) == [
        Flag("collector.disk.device-exclude", "device_exclude", Pattern | None, DEFAULT, "Devices to leave out."),
        Flag("collector.disks.extras", "enable_extras", bool, False, "More of it."),
    ]


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        (None, DEFAULT, ["sda"]),
        (re.compile("loop"), DEFAULT, ["loop0"]),
        (re.compile(""), DEFAULT, ["sda"]),
        (None, re.compile("sd"), ["loop0"]),
        (None, re.compile(""), ["sda", "loop0"]),
        (None, None, ["sda", "loop0"]),
    ],
)
def test_names_are_filtered(include: Pattern | None, exclude: Pattern | None, kept: list[str]) -> None:
    """To include takes the place of what is excluded by default; an empty pattern is none."""
    chosen = either(include, exclude, DEFAULT, "device")
    assert [name for name in ("sda", "loop0") if chosen.keeps(name)] == kept


def test_a_pair_that_contradicts_itself_is_refused() -> None:
    """Both at once have no meaning that everybody would guess."""
    with pytest.raises(ValueError, match="device-include and device-exclude can't be used together"):
        either(re.compile("a"), re.compile("b"), DEFAULT, "device")


def test_both_patterns_of_a_filter_count() -> None:
    """A name is kept when it is included and not excluded."""
    chosen = NameFilter(re.compile("^sd"), re.compile("1$"))
    assert [name for name in ("sda", "sda1", "vda") if chosen.keeps(name)] == ["sda"]
