"""Files of `name number` lines, of which the kernel writes the same names at each scrape: meminfo, vmstat.

Only the first reading looks at lines. It learns which word stands where; from then on the file is one split, a
comparison of the names, and a number a metric. When the names change, as with another kernel module, it learns anew.
"""

import re
from collections.abc import Callable, Iterator

from exporters.collector import Family, Malformed, Metric, required
from exporters.host import KeptFile
from exporters.options import Pattern
from exporters.readers.singles import Singles

PART_OF_A_NAME = re.compile(r"\w+", re.ASCII)
"""What a field may be called to be part of a metric's name. A vendor's kernel may call one otherwise."""

_BEYOND = 1 << 64


class Pairs:
    """One such file. `line` is how a line looks, with the groups name, number and unit, and `expected` says so in a
    message. A number with the unit counts KiB and becomes bytes; where no line has one, `unit` is empty.
    `metric_of(name, unit)` is the metric of a line, or None for a line that is not published.
    """

    def __init__(
        self,
        file: KeptFile,
        line: Pattern,
        expected: str,
        metric_of: Callable[[str, str], Metric | None],
        unit: str = "",
    ) -> None:
        self._unit = unit
        self._file = file
        self._line = line
        self._expected = expected
        self._metric_of = metric_of
        self._names: list[str] | None = None
        self._indexes: list[int] = []
        self._shifts: list[int] = []
        self._singles = Singles([])
        self._metrics: dict[tuple[str, str], Metric | None] = {}

    def collect(self) -> Iterator[Family]:
        """A family a published line. Raises NoData without the file, Malformed naming the line."""
        text = required(self._file.read())
        words = (text.replace(self._unit, "") if self._unit else text).split()
        names, values = words[::2], words[1::2]
        if names != self._names or len(names) != len(values):
            self._learn(text)
            self._names = names
        try:
            numbers = list(map(int, [values[index] for index in self._indexes]))
        except ValueError as error:
            raise self._malformed(text, values) from error
        if numbers and not 0 <= min(numbers) <= max(numbers) < _BEYOND:
            raise self._malformed(text, values)
        return iter(self._singles.of([value << shift for value, shift in zip(numbers, self._shifts, strict=True)]))

    def _malformed(self, text: str, values: list[str]) -> Malformed:
        """Which line is wrong; looked for only when one is."""
        index = next(index for index in self._indexes if not _fits(values[index]))
        return Malformed(self._file.path, index + 1, self._expected, text.splitlines()[index])

    def _learn(self, text: str) -> None:
        """Find out which lines are published; a name that comes twice counts once."""
        self._names = None  # until the lines below have turned out well
        known: dict[Metric, tuple[int, int]] = {}
        lines = text.splitlines()
        if not lines:
            raise Malformed(self._file.path, 0, f"lines such as {self._expected}, the file is empty")
        for index, line in enumerate(lines):
            matched = self._line.fullmatch(line)
            if matched is None:
                raise Malformed(self._file.path, index + 1, self._expected, line)
            name, _, unit = matched.groups("")
            metric = self._metric(name, unit)
            if metric is not None:
                known.setdefault(metric, (index, 10 if unit else 0))
        self._indexes = [index for index, _ in known.values()]
        self._shifts = [shift for _, shift in known.values()]
        self._singles = Singles(list(known))

    def _metric(self, name: str, unit: str) -> Metric | None:
        """The metric of a name, made once: the renderer knows it again."""
        key = name, unit
        if key not in self._metrics:
            self._metrics[key] = self._metric_of(name, unit)
        return self._metrics[key]


def _fits(number: str) -> bool:
    """Whether it is a number that the kernel can have written: not negative, of 64 bits."""
    try:
        return 0 <= int(number) < _BEYOND
    except ValueError:
        return False
