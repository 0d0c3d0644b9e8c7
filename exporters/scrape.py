"""One scrape: run each chosen collector, time it, and let no collector spoil or delay another.

Collectors stand in groups (`node`, `cgroup`); each group publishes its collectors' duration and success
under its own prefix, as node_exporter does.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from exporters.collector import Collector, Family, Fault, Guest, Malformed, Metric, NoData, gauge
from exporters.log import Log
from exporters.patience import Patience

ResultT = TypeVar("ResultT")


class Time(Protocol):
    """Unix seconds and seconds that never go back: `fenghuo.clock.Clock` as far as a scrape needs it."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that one collector may take, and all of a scrape together. Prometheus waits ten by default."""

    collector: float = 5.0
    scrape: float = 9.0


@dataclass(frozen=True)
class Group:
    """Collectors by name, the metrics that tell how they fared, and what each of them may not read."""

    name: str
    collectors: Mapping[str, Collector]
    duration: Metric
    success: Metric
    error: Metric | None = None
    denied: Mapping[str, dict[str, str]] = field(default_factory=dict)
    sieve: Callable[[Sequence[Family]], list[Family]] = list
    """What becomes of the families of all collectors together before they are published."""

    @classmethod
    def of(
        cls,
        prefix: str,
        collectors: Mapping[str, Collector],
        error: Metric | None = None,
        denied: Mapping[str, dict[str, str]] | None = None,
    ) -> "Group":
        """A group called `prefix`; its self metrics are `<prefix>_scrape_collector_{duration_seconds,success}`."""
        return cls(
            prefix,
            collectors,
            gauge(f"{prefix}_scrape_collector_duration_seconds", "Seconds that a collector took.", "collector"),
            gauge(f"{prefix}_scrape_collector_success", "Whether a collector succeeded.", "collector"),
            error,
            denied if denied is not None else {},
        )

    @property
    def own(self) -> list[Metric]:
        """The metrics that tell how the collectors fared."""
        return [metric for metric in (self.duration, self.success, self.error) if metric is not None]


@dataclass(frozen=True, slots=True)
class Selection:
    """The collectors that a request asks for, by their own names or their group's."""

    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def __contains__(self, names: tuple[str, str]) -> bool:
        if self.only:
            return not self.only.isdisjoint(names)
        return not self.without or self.without.isdisjoint(names)


class BadSelection(Exception):
    """A request that selects collectors in a way that can't be served; the message is for its sender."""


class Busy(Exception):
    """A scrape whose time was over before its turn came; the message is for its sender."""


class _Outcome(NamedTuple):
    """How one collector fared: what it published, whether it succeeded, and the seconds that it took."""

    families: list[Family]
    success: bool
    seconds: float
    broken: bool = True
    """Whether it failed for another reason than that the machine does not have what it reads."""


OWN = "the exporter itself"
"""Who publishes what no collector of a group does."""

Key = tuple[str, str]
"""A group's name and a collector's."""


class Scraper:
    """Runs the collectors of `groups`, one scrape at a time; `now` is Unix seconds, `monotonic` measures.

    The collectors of `always` answer every request, and are trusted not to hang.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        log: Log,
        clock: Time,
        always: Sequence[Collector] = (),
        limits: Limits | None = None,
    ) -> None:
        self.groups = groups
        self.limits = limits if limits is not None else Limits()
        self.states: dict[str, str] = {}
        """Why a collector has no data, or what it lacks the right to; a collector that is well is not in it."""
        self.seconds: dict[str, float] = {}
        """How long each collector took when it was last asked."""
        self._told: dict[tuple[str, str], str] = {}
        self._log = log
        self._clock = clock
        self._always = always
        self._lock = threading.Lock()
        self._by_name = {group.name: group for group in groups}
        self._patience = Patience(self._run, self.limits.collector, self.limits.scrape)
        self._now = 0.0
        self._guests = {
            (group.name, name): collector
            for group in groups
            for name, collector in group.collectors.items()
            if isinstance(collector, Guest)
        }
        every = [(group.name, name) for group in groups for name in group.collectors]
        self._keys = sorted(every, key=self._guests.__contains__)  # guests last
        self._faults: dict[Key, dict[tuple[str, int, str], Fault]] = {}
        self._published: dict[str, Iterable[Family]] = {}
        self._taken = {metric.name: OWN for group in groups for metric in group.own}
        for guest in self._guests.values():
            guest.give_way(self._names)

    def select(self, only: Iterable[str], without: Iterable[str]) -> Selection:
        """The selection of `collect[]` and `exclude[]`. Raises BadSelection."""
        selection = Selection(frozenset(only), frozenset(without))
        if selection.only and selection.without:
            raise BadSelection("collect[] and exclude[] can't be used together")
        known = {name for group in self.groups for name in (group.name, *group.collectors)}
        if unknown := sorted((selection.only | selection.without) - known):
            raise BadSelection(f"unknown or disabled collector: {', '.join(unknown)}")
        return selection

    def scrape(
        self, selection: Selection, use: Callable[[list[Family]], ResultT], deadline: float | None = None
    ) -> ResultT:
        """Give `use` all families of the selected collectors and how each of them fared.

        `deadline` is seconds that the scraper waits for its answer, where it says so. Scrapes take turns, `use`
        included: collectors and renderer keep state between them. To wait for its turn is part of a scrape's time;
        raises Busy when nothing of it is left.
        """
        limit = self.limits.scrape if deadline is None else min(self.limits.scrape, deadline)
        end = self._clock.monotonic() + limit
        if not self._lock.acquire(timeout=limit):
            raise Busy(f"the scrape before this one was not done within {limit:g} seconds")
        try:
            return use(self._families([key for key in self._keys if key in selection], end - self._clock.monotonic()))
        finally:
            self._lock.release()

    def _families(self, keys: Sequence[Key], limit: float) -> list[Family]:
        """What the collectors publish within `limit` seconds, and how they fared."""
        self._now = self._clock.now()
        own = [family for collector in self._always for family in collector.collect(self._now)]
        self._published[OWN] = own
        outcomes = self._patience.ask(keys, limit)
        families: list[Family] = []
        for group in self.groups:
            self._report(group, [key for key in keys if key[0] == group.name], outcomes, families)
        families.extend(own)
        return families

    def _report(self, group: Group, keys: list[Key], outcomes: Mapping[Key, _Outcome], families: list[Family]) -> None:
        """Add what a group's collectors published, and how they fared."""
        fared: list[tuple[str, _Outcome]] = []
        found: list[Family] = []
        for key in keys:
            outcome = outcomes.get(key)
            if outcome is None:
                reason = f"hangs: no answer within {self.limits.collector:g} seconds, or the scrape's time was over"
                self._failed(key[1], reason, self._log.warning)
                outcome = _Outcome([], False, self.limits.collector)
            self.seconds[key[1]] = outcome.seconds
            fared.append((key[1], outcome))
            found += outcome.families
        families += group.sieve(found)
        families.append(group.duration.family([((name,), outcome.seconds) for name, outcome in fared]))
        families.append(group.success.family([((name,), float(outcome.success)) for name, outcome in fared]))
        if group.error is not None and fared:
            families.append(group.error.single(float(any(outcome.broken for _, outcome in fared))))

    def _run(self, key: Key) -> _Outcome:
        """Run one collector; called by the thread that may be left behind."""
        group, name = self._by_name[key[0]], key[1]
        denied = group.denied.get(name, {})
        denied.clear()
        families: list[Family] = []
        start = self._clock.monotonic()
        success, broken = self._collect(name, group.collectors[name], families)
        seconds = self._clock.monotonic() - start
        guest = self._guests.get(key)
        if guest is None:
            self._published[name] = families
        else:
            self._complain(key, guest.faults())
        if success:
            self._told.pop((name, "data"), None)
        if denied:
            self._lacks(name, denied)
            return _Outcome(families, success, seconds, broken)
        self._told.pop((name, "rights"), None)
        if success and self.states.pop(name, None) is not None:
            self._log.info("collector works again", collector=name)
        return _Outcome(families, success, seconds, broken)

    def _names(self) -> Mapping[str, str]:
        """The names of all metrics since the start, and who published them: what a scrape leaves out stays taken."""
        for name in list(self._published):  # a collector that hung may come back at any moment
            self._taken.update((metric.name, name) for metric, samples in self._published.pop(name, ()) if samples)
        return self._taken

    def _complain(self, key: Key, faults: Iterable[Fault]) -> None:
        """Log each fault in what others wrote when it begins, and say when a file is free of them."""
        known, now = self._faults.get(key, {}), {(fault.path, fault.line, fault.reason): fault for fault in faults}
        for place, fault in now.items():
            if place not in known:
                where = {"path": fault.path, "line": fault.line} if fault.line else {"path": fault.path}
                self._log.warning("metrics left out", collector=key[1], **where, why=fault.reason, reason=fault.detail)
        for path in sorted({path for path, _, _ in known} - {path for path, _, _ in now}):
            self._log.info("no fault any more", collector=key[1], path=path)
        self._faults[key] = now

    def _collect(self, name: str, collector: Collector, families: list[Family]) -> tuple[bool, bool]:
        """Whether it succeeded, and whether it is broken: a machine without the thing is neither."""
        try:
            families.extend(collector.collect(self._now))
        except NoData as reason:
            self._failed(name, str(reason), self._log.debug)
            return False, False
        except Malformed as reason:
            self._failed(name, str(reason), self._log.warning)
        except Exception as error:  # noqa: BLE001 - one collector's surprise must not cost the others' metrics
            self._failed(name, f"{type(error).__name__}: {error}", self._log.error)
        else:
            return True, False
        return False, True

    def _failed(self, name: str, reason: str, say: Callable[..., None]) -> None:
        """Log a failure when it begins and when its reason changes, not at every scrape."""
        self.states[name] = reason
        if self._told.get((name, "data")) != reason:
            self._told[name, "data"] = reason
            say("collector has no data", collector=name, reason=reason)

    def _lacks(self, name: str, denied: Mapping[str, str]) -> None:
        """Log what a collector may not read and the rights that this takes, when that begins or it takes others."""
        first, needs = next(iter(denied)), ", ".join(sorted(set(denied.values())))
        others = f" and {len(denied) - 1} more" if len(denied) > 1 else ""
        reason = f"lacks the right to read {first}{others}: needs {needs}, or root"
        self.states[name] = reason
        if self._told.get((name, "rights")) != needs:  # processes come and go, and with them what is refused
            self._told[name, "rights"] = needs
            self._log.warning("collector lacks rights", collector=name, path=first, others=len(denied) - 1, needs=needs)
