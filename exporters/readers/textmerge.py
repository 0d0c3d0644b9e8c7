"""The families of many texts as the families of one exposition, and what had to be left out: pure.

A metric that several files write is published once, with the samples of all. The first file decides its type and
help; a family that contradicts is left out, and so is one whose name is taken, and a series that is there already.
Labels that a sample lacks are empty, which to Prometheus is the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporters.collector import BOUNDS, Family, Fault, Labels, Metric
from exporters.textformat import TextFamily, TextSample


class Refusal(StrEnum):
    """Why a family or a series is left out, in a word for a label."""

    NAME_TAKEN = "name taken"
    TYPE = "type"
    HELP = "help"
    DUPLICATE = "duplicate"


@dataclass(slots=True)
class _Group:
    """One metric: the first family of its name, and the files with their families."""

    first: TextFamily
    file: str
    help: str = ""
    members: list[tuple[str, TextFamily]] = field(default_factory=list)


class Merger:
    """Keeps the metrics that it made, which the renderer knows again, as long as they are in use."""

    def __init__(self) -> None:
        self.families: list[Family] = []
        self._faults: dict[tuple[str, str, Refusal], Fault] = {}
        self._metrics: dict[str, Metric] = {}

    def merge(self, files: Mapping[str, Iterable[TextFamily]], taken: Mapping[str, str]) -> None:
        """Make `families` of what is in the files, in their order; `taken` has names that others publish."""
        self._faults = {}
        groups: dict[str, _Group] = {}
        owners: dict[str, tuple[str, str]] = {name: (name, f"by {owner}") for name, owner in taken.items()}
        for file, families in files.items():
            for family in families:
                group = groups.get(family.name)
                if group is None:
                    if self._is_free(file, family, owners):
                        groups[family.name] = _Group(family, file, family.help, [(file, family)])
                elif self._fits(file, family, group):
                    group.help = group.help or family.help
                    group.members.append((file, family))
        known, self._metrics = self._metrics, {}
        self.families = [self._family(group, known) for group in groups.values()]

    @property
    def faults(self) -> list[Fault]:
        """What had to be left out."""
        return list(self._faults.values())

    def _is_free(self, file: str, family: TextFamily, owners: dict[str, tuple[str, str]]) -> bool:
        """Whether none of the family's names is taken; they are from now on."""
        for name in family.names:
            if name in owners:
                whose, by = owners[name]
                of = f" as part of {whose}" if whose != name else ""
                detail = f"expected a name of its own, {name} is published{of} {by}"
                self._leave_out(file, family, Refusal.NAME_TAKEN, detail)
                return False
        owners.update(dict.fromkeys(family.names, (family.name, f"from {file}")))
        return True

    def _fits(self, file: str, family: TextFamily, group: _Group) -> bool:
        """Whether a further family of the same name contradicts nothing."""
        if family.kind != group.first.kind:
            detail = f"expected {family.name} to be a {group.first.kind} as in {group.file}, it is a {family.kind}"
            self._leave_out(file, family, Refusal.TYPE, detail)
            return False
        if family.help and group.help and family.help != group.help:
            detail = f"expected the HELP of {family.name} as in {group.file}, got {family.help[:60]!r}"
            self._leave_out(file, family, Refusal.HELP, detail)
            return False
        return True

    def _family(self, group: _Group, known: Mapping[str, Metric]) -> Family:
        labels = tuple(sorted({label for _, family in group.members for one in family.samples for label in one.labels}))
        help = group.help or f"Read from {', '.join(file for file, _ in group.members)}."
        metric = Metric(group.first.kind, group.first.name, help, labels)
        before = known.get(metric.name)
        if before is not None and _same(before, metric):
            metric = before
        self._metrics[metric.name] = metric
        samples: dict[Labels, float] = {}
        for file, family in group.members:
            for key, value, line in _samples(family, labels):
                if key in samples:
                    detail = f"expected each series once, {family.name} has these labels again"
                    self._leave_out(file, family, Refusal.DUPLICATE, detail, line)
                else:
                    samples[key] = value
        return metric.family(list(samples.items()))

    def _leave_out(self, file: str, family: TextFamily, reason: Refusal, detail: str, line: int = 0) -> None:
        """Note a fault; of a family's series, the first stands for all."""
        fault = Fault(file, line or family.line, reason.value, detail)
        self._faults.setdefault((file, family.name, reason), fault)


def _same(one: Metric, other: Metric) -> bool:
    return (one.kind, one.help, one.labels) == (other.kind, other.help, other.labels)


def _samples(family: TextFamily, labels: Labels) -> Iterator[tuple[Labels, float, int]]:
    """A family's samples by the values of `labels`, each with its line."""
    if family.kind in BOUNDS:
        yield from _composed(family, labels)
    else:
        for sample in family.samples:
            yield _values(sample, labels), sample.value, sample.line


def _values(sample: TextSample, labels: Labels) -> Labels:
    return tuple(sample.labels.get(label, "") for label in labels)


def _composed(family: TextFamily, labels: Labels) -> Iterator[tuple[Labels, float, int]]:
    """The samples of a histogram or summary in the order that the format asks for, those of each series together.

    As in node_exporter, a sum or count that the text lacks is 0, and a bucket without end has the count.
    """
    series: dict[Labels, list[TextSample]] = {}
    for sample in family.samples:
        series.setdefault(_values(sample, labels), []).append(sample)
    for values, samples in series.items():
        parts = [sample for sample in samples if sample.bound]
        sums = [sample for sample in samples if sample.part == "_sum"]
        counts = [sample for sample in samples if sample.part == "_count"]
        line = samples[0].line
        for sample in sorted(parts, key=lambda part: float(part.bound)):
            yield (sample.part, *values, sample.bound), sample.value, sample.line
        count = counts[0].value if counts else 0
        if family.kind == "histogram" and not any(sample.bound == "+Inf" for sample in parts):
            yield ("_bucket", *values, "+Inf"), count, line
        for part, given in (("_sum", sums), ("_count", counts)):
            yield (part, *values, ""), given[0].value if given else 0, line
            for again in given[1:]:
                yield (part, *values, ""), again.value, again.line
