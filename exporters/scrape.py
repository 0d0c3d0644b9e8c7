"""One scrape: run each chosen collector, time it, and let no collector spoil another.

Collectors stand in groups (`node`, `cgroup`); each group publishes its collectors' duration and success
under its own prefix, as node_exporter does.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from exporters.collector import Collector, Family, Malformed, Metric, NoData, Sample, gauge
from exporters.log import Log

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Group:
    """Collectors by name, and the metrics that tell how they fared."""

    name: str
    collectors: Mapping[str, Collector]
    duration: Metric
    success: Metric
    error: Metric | None = None

    @classmethod
    def of(cls, name: str, prefix: str, collectors: Mapping[str, Collector], error: Metric | None = None) -> "Group":
        """A group whose self metrics are `<prefix>_scrape_collector_{duration_seconds,success}`."""
        return cls(
            name,
            collectors,
            gauge(f"{prefix}_scrape_collector_duration_seconds", "Seconds that a collector took.", "collector"),
            gauge(f"{prefix}_scrape_collector_success", "Whether a collector succeeded.", "collector"),
            error,
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """The collectors that a request asks for, by their own names or their group's."""

    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def __contains__(self, names: tuple[str, str]) -> bool:
        if self.only:
            return not self.only.isdisjoint(names)
        return self.without.isdisjoint(names)


class BadSelection(Exception):
    """A request that selects collectors in a way that can't be served; the message is for its sender."""


@dataclass
class Scraper:
    """Runs the collectors of `groups`, one scrape at a time; `now` is Unix seconds, `monotonic` measures."""

    groups: Sequence[Group]
    log: Log
    now: Callable[[], float]
    monotonic: Callable[[], float]
    always: Sequence[Collector] = ()
    _failing: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def select(self, only: Iterable[str], without: Iterable[str]) -> Selection:
        """The selection of `collect[]` and `exclude[]`. Raises BadSelection."""
        selection = Selection(frozenset(only), frozenset(without))
        if selection.only and selection.without:
            raise BadSelection("collect[] and exclude[] can't be used together")
        known = {name for group in self.groups for name in (group.name, *group.collectors)}
        if unknown := sorted((selection.only | selection.without) - known):
            raise BadSelection(f"unknown or disabled collector: {', '.join(unknown)}")
        return selection

    def scrape(self, selection: Selection, use: Callable[[list[Family]], ResultT]) -> ResultT:
        """Give `use` all families of the selected collectors and how each of them fared.

        Scrapes take turns, `use` included: collectors and renderer keep state between them.
        """
        with self._lock:
            now = self.now()
            families: list[Family] = []
            for group in self.groups:
                self._run_group(group, selection, now, families)
            for collector in self.always:
                self._run(type(collector).__name__.lower(), collector, now, families)
            return use(families)

    def _run_group(self, group: Group, selection: Selection, now: float, families: list[Family]) -> None:
        durations: list[Sample] = []
        successes: list[Sample] = []
        for name, collector in group.collectors.items():
            if (group.name, name) not in selection:
                continue
            start = self.monotonic()
            success = self._run(name, collector, now, families)
            durations.append(((name,), self.monotonic() - start))
            successes.append(((name,), float(success)))
        families.append(group.duration.family(durations))
        families.append(group.success.family(successes))
        if group.error is not None and successes:
            families.append(group.error.single(float(any(value == 0 for _, value in successes))))

    def _run(self, name: str, collector: Collector, now: float, families: list[Family]) -> bool:
        try:
            families.extend(collector.collect(now))
        except NoData as reason:
            self._failed(name, str(reason), self.log.debug)
        except Malformed as reason:
            self._failed(name, str(reason), self.log.warning)
        except Exception as error:  # noqa: BLE001 - one collector's surprise must not cost the others' metrics
            self._failed(name, f"{type(error).__name__}: {error}", self.log.error)
        else:
            if self._failing.pop(name, None) is not None:
                self.log.info("collector works again", collector=name)
            return True
        return False

    def _failed(self, name: str, reason: str, say: Callable[..., None]) -> None:
        """Log a failure when it begins and when its reason changes, not at every scrape."""
        if self._failing.get(name) != reason:
            self._failing[name] = reason
            say("collector has no data", collector=name, reason=reason)
