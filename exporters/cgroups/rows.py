"""What a collector knows of each cgroup: files that stay open, what they said last, and what that meant.

Most cgroups of a machine do not move between two scrapes. What has not changed is not understood again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from exporters.cgroups.model import Cgroup, Contents, Cpu, Files, Memory
from exporters.collector import Family, Metric
from exporters.host import KeptFiles

ValueT = TypeVar("ValueT")
FieldsT = TypeVar("FieldsT", Cpu, Memory)


class _Row(Generic[ValueT]):
    __slots__ = ("contents", "files", "value")

    def __init__(self, files: KeptFiles, contents: Contents, value: ValueT) -> None:
        self.files = files
        self.contents = contents
        self.value = value


class Rows(Generic[ValueT]):
    """Reads `files` of each cgroup, and has `understand` say what the contents mean. Both must not raise."""

    def __init__(self, files: Callable[[Cgroup], Files], understand: Callable[[Cgroup, Contents], ValueT]) -> None:
        self._files = files
        self._understand = understand
        self._rows: dict[Cgroup, _Row[ValueT]] = {}

    def of(self, cgroups: Sequence[Cgroup]) -> list[ValueT]:
        """The values of these cgroups in their order. Of others, the files are closed and forgotten."""
        before = self._rows
        self._rows = {cgroup: before.get(cgroup) or self._row(cgroup) for cgroup in cgroups}
        values = []
        for cgroup, row in self._rows.items():
            contents = row.files.read()
            if contents != row.contents:
                row.contents, row.value = contents, self._understand(cgroup, contents)
            values.append(row.value)
        return values

    def _row(self, cgroup: Cgroup) -> _Row[ValueT]:
        files = [cgroup.file(controller, name) for controller, name in self._files(cgroup)]
        return _Row(cgroup.tree.keep_all(files), [], self._understand(cgroup, [b""] * len(files)))


def samples_of(metrics: Mapping[str, Metric], cgroups: Sequence[Cgroup], values: Sequence[FieldsT]) -> Iterator[Family]:
    """A family for each metric, with the samples of those cgroups whose field of that name says something."""
    if not values:
        return
    columns = dict(zip(values[0]._fields, zip(*values, strict=True), strict=True))
    labels = [cgroup.labels for cgroup in cgroups]
    for field, metric in metrics.items():
        column = columns[field]
        yield metric.family([(who, value) for who, value in zip(labels, column, strict=True) if value is not None])
