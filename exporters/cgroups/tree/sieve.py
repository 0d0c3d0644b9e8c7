"""Which families of cgroups are published, and what is left out when there are too many series."""

from collections.abc import Sequence

from exporters.cgroups.tree.choice import Choice
from exporters.collector import Family, Metric, Sample, gauge
from exporters.log import Log
from exporters.options import NameFilter

LEFT_OUT = gauge(
    "fenghuo_exporter_series_left_out",
    "Series of a family that was left out, as all families together have more than --cgroup.series-limit.",
    "family",
)


class Sieve:
    """Takes the families of a scrape, and keeps those that were asked for and fit.

    Whole families go, those with most series first: what is left of a family that was cut would add up to wrong sums.
    """

    def __init__(self, choice: Choice, log: Log) -> None:
        self._limit = choice.series_limit
        self._filter = NameFilter(choice.families_include, choice.families_exclude)
        self._log = log
        self._keeps: dict[Metric, bool] = {}
        self._told: set[str] = set()

    def __call__(self, families: Sequence[Family]) -> list[Family]:
        asked_for = [family for family in families if self._is_asked_for(family.metric)]
        kept, left_out = fitting(asked_for, self._limit)
        self._tell(asked_for, kept, left_out)
        counts: list[Sample] = [((family.metric.name,), len(family.samples)) for family in left_out]
        return [*kept, LEFT_OUT.family(counts)]

    def _is_asked_for(self, metric: Metric) -> bool:
        if metric not in self._keeps:
            self._keeps[metric] = self._filter.keeps(metric.name)
        return self._keeps[metric]

    def _tell(self, families: Sequence[Family], kept: Sequence[Family], left_out: Sequence[Family]) -> None:
        """Log what was not left out before, and that nothing is any more: a scrape of some collectors can't tell."""
        series = sum(len(family.samples) for family in families)
        if not self._told.issuperset(family.metric.name for family in left_out):
            shown = ", ".join(f"{family.metric.name} ({len(family.samples)} series)" for family in left_out)
            self._log.warning("families left out", limit=self._limit, series=series, families=shown)
            self._told.update(family.metric.name for family in left_out)
        elif self._told and self._told.issubset(family.metric.name for family in kept):
            self._log.info("all families fit again", limit=self._limit, series=series)
            self._told.clear()


def fitting(families: Sequence[Family], limit: int) -> tuple[list[Family], list[Family]]:
    """The families that fit into `limit` series, and those that are left out; 0 is no limit.

    Of those with as many series, the later: processor and memory come first, and are asked for most.
    """
    excess = sum(len(family.samples) for family in families) - limit
    left_out: list[Family] = []
    if limit > 0:
        smallest_first = sorted(families, key=lambda family: len(family.samples))
        for family in reversed(smallest_first):
            if excess <= 0:
                break
            left_out.append(family)
            excess -= len(family.samples)
    names = {family.metric.name for family in left_out}
    return [family for family in families if family.metric.name not in names], left_out
