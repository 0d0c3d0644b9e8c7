"""What an operator may set for one collector, declared beside the collector.

A collector's options are a frozen dataclass; each field is a flag of the command line,
`--collector.<collector>.<field-with-hyphens>`. Names and defaults are node_exporter's.
"""

import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from types import MappingProxyType
from typing import Any, NamedTuple

Pattern = re.Pattern[str]


def option(default: Any, help: str, flag: str = "") -> Any:
    """A field of a collector's options; `flag` is the whole flag without `--` where its name is irregular.

    A field may be of type bool (`--x/--no-x`), str, int, float, `tuple[str, ...]` (repeatable), Pattern, or
    `Pattern | None`.
    """
    return field(default=default, metadata={"help": help, "flag": flag})


class Flag(NamedTuple):
    """One flag: its name without `--`, the field that it sets, what kind of value it takes, and its default."""

    name: str
    field: str
    kind: Any
    default: Any
    help: str


def flags_of(collector: str, options: type) -> Iterator[Flag]:
    """The flags of a collector's options."""
    for entry in fields(options):
        if entry.default is MISSING:
            raise TypeError(f"{options.__module__}.{options.__name__}.{entry.name} needs a default")
        name = entry.metadata["flag"] or f"collector.{collector}.{entry.name.replace('_', '-')}"
        yield Flag(name, entry.name, entry.type, entry.default, entry.metadata["help"])


@dataclass(frozen=True, slots=True)
class NameFilter:
    """Which names are published: those that `include` matches, or all but those that `exclude` matches.

    A pattern matches anywhere in a name unless it is anchored, as everywhere in node_exporter.
    """

    include: Pattern | None = None
    exclude: Pattern | None = None

    def keeps(self, name: str) -> bool:
        """Whether the name is published."""
        if self.include is not None and not self.include.search(name):
            return False
        return self.exclude is None or not self.exclude.search(name)


def either(include: Pattern | None, exclude: Pattern | None, default: Pattern | None, what: str) -> NameFilter:
    """The filter of a pair of flags that exclude each other; to include takes the place of excluding by default.

    An empty pattern stands for none. Raises ValueError when both were set.
    """
    if exclude is not None and not exclude.pattern:
        exclude = None
    if include is None or not include.pattern:
        return NameFilter(exclude=exclude)
    if exclude is not None and exclude != default:
        raise ValueError(f"{what}-include and {what}-exclude can't be used together")
    return NameFilter(include=include)


NONE: MappingProxyType[str, object] = MappingProxyType({})
"""No collector's options are set."""
