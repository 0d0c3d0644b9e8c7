"""What a collector knows of each cgroup: files that stay open, what they said last, and what that meant.

Most cgroups of a machine do not move between two scrapes. What has not changed is not understood again.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from exporters.cgroups.tree.model import Cgroup, Contents, Cpu, CpuLimits, Files, Memory, MemoryLimits
from exporters.collector import Family, Metric
from exporters.host import KeptFiles

ValueT = TypeVar("ValueT")
FieldsT = TypeVar("FieldsT", Cpu, CpuLimits, Memory, MemoryLimits)


KEEP_LIMITS = 60.0
"""Seconds for which what a scrape read of limits stands: they are a third of all files, and nobody moves them often."""

_TURNS = 4


class _Row(Generic[ValueT]):
    __slots__ = ("contents", "files", "read_at", "until", "value")

    def __init__(self, files: KeptFiles, value: ValueT) -> None:
        self.contents: Contents = []
        self.files = files
        self.value = value
        self.read_at = self.until = -math.inf


class Rows(Generic[ValueT]):
    """Reads `files` of each cgroup, and has `understand` say what the contents mean. Both must not raise."""

    def __init__(self, files: Callable[[Cgroup], Files], understand: Callable[[Cgroup, Contents], ValueT]) -> None:
        self._files = files
        self._understand = understand
        self._rows: dict[Cgroup, _Row[ValueT]] = {}

    def of(self, cgroups: Sequence[Cgroup]) -> list[ValueT]:
        """The values of these cgroups in their order. Of others, the files are closed and forgotten."""
        self._keep(cgroups)
        for cgroup, row in self._rows.items():
            self._read(cgroup, row)
        return [row.value for row in self._rows.values()]

    def lately(self, cgroups: Sequence[Cgroup], now: float) -> list[ValueT]:
        """As `of`, read within the last KEEP_LIMITS seconds. What is new is read twice, as its limits are set when it
        has been made, and not all are read in the same scrape.
        """
        self._keep(cgroups)
        for turn, (cgroup, row) in enumerate(self._rows.items()):
            if row.read_at <= now < row.until:
                continue
            is_new = row.read_at == -math.inf
            share = 0 if is_new else 1 if row.until > row.read_at else (turn % _TURNS + 1) / _TURNS
            row.read_at, row.until = now, now + KEEP_LIMITS * share
            self._read(cgroup, row)
        return [row.value for row in self._rows.values()]

    def _keep(self, cgroups: Sequence[Cgroup]) -> None:
        before = self._rows
        self._rows = {cgroup: before.get(cgroup) or self._row(cgroup) for cgroup in cgroups}

    def _read(self, cgroup: Cgroup, row: _Row[ValueT]) -> None:
        contents = row.files.read()
        if contents != row.contents:
            row.contents, row.value = contents, self._understand(cgroup, contents)

    def _row(self, cgroup: Cgroup) -> _Row[ValueT]:
        files = [cgroup.file(controller, name) for controller, name in self._files(cgroup)]
        return _Row(cgroup.tree.keep_all(files), self._understand(cgroup, [b""] * len(files)))


def samples_of(metrics: Mapping[str, Metric], cgroups: Sequence[Cgroup], values: Sequence[FieldsT]) -> Iterator[Family]:
    """A family for each metric, with the samples of those cgroups whose field of that name says something."""
    if not values:
        return
    columns = dict(zip(values[0]._fields, zip(*values, strict=True), strict=True))
    labels = [cgroup.labels for cgroup in cgroups]
    for field, metric in metrics.items():
        column = columns[field]
        yield metric.family([(who, value) for who, value in zip(labels, column, strict=True) if value is not None])
