"""Families of metrics without labels, as most numbers that count for the whole machine are.

Most of them have not moved since the last scrape, and a family that was made then is not made again.
"""

from collections.abc import Sequence

from exporters.collector import Family, Metric


class Singles:
    """Keeps the values and families of the last scrape."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics
        self._values: Sequence[float | None] = [None] * len(metrics)
        self._families = [metric.family([]) for metric in metrics]

    def of(self, values: Sequence[float]) -> list[Family]:
        """The family of each metric with its value; the list is the same one each time."""
        for at, (before, value) in enumerate(zip(self._values, values, strict=True)):
            if value != before:
                self._families[at] = self._metrics[at].single(value)
        self._values = values
        return self._families
