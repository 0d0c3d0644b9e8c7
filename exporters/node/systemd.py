"""The state of systemd and of its units, timers and sockets, asked for over D-Bus: off by default.

The type of a service does not change until systemd reads its files again, so it is asked for once. Of thousands of
services the types may take several scrapes, which fail until all are known. Interface: org.freedesktop.systemd1(5).
"""

import errno
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from exporters.calls import Answer, Bus, Question
from exporters.collector import Family, Malformed, Metric, NoData, Sample, counter, gauge
from exporters.host import Host
from exporters.options import Pattern, option

UNIT_STATE = gauge("node_systemd_unit_state", "Whether a unit is in a state.", "name", "state", "type")
START_TIME = gauge("node_systemd_unit_start_time_seconds", "When a unit became active, in Unix seconds.", "name")
TASKS = gauge("node_systemd_unit_tasks_current", "Tasks of a service.", "name")
TASKS_MAX = gauge("node_systemd_unit_tasks_max", "Tasks that a service may have.", "name")
RUNNING = gauge("node_systemd_system_running", "Whether systemd says `running`, see systemctl(1).")
UNITS = gauge("node_systemd_units", "Units in a state.", "state")
RESTARTS = counter("node_systemd_service_restart_total", "Times that systemd restarted a service.", "name")
LAST_TRIGGER = gauge("node_systemd_timer_last_trigger_seconds", "When a timer last went off, in Unix seconds.", "name")
ACCEPTED = counter("node_systemd_socket_accepted_connections_total", "Connections that a socket accepted.", "name")
CONNECTIONS = gauge("node_systemd_socket_current_connections", "Connections that a socket has.", "name")
REFUSED = gauge("node_systemd_socket_refused_connections_total", "Connections that a socket refused.", "name")
VERSION = gauge("node_systemd_version", "Version of systemd.", "version")
VIRTUALIZATION = gauge(
    "node_systemd_virtualization_info", "What the machine runs on, `none` for bare metal.", "virtualization_type"
)

STATES = ("active", "activating", "deactivating", "inactive", "failed")
TYPED = {".service": "Service", ".mount": "Mount"}
"""Units with a type of their own → the interface that tells it."""
STATE_SINCE = 212
"""The version of systemd that first told the state of the system, and when a timer last went off."""
UNLIMITED = (1 << 64) - 1
MICRO = 1e6
LOADED = "UnitsLoadTimestampMonotonic"
"""When systemd last read its files."""

INCLUDE = re.compile(".+")
EXCLUDE = re.compile(r".+\.(automount|device|mount|scope|slice)")

_MANAGER = "/org/freedesktop/systemd1"
_VERSION = re.compile(r"[0-9]{3,9}(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """Which units are published: those whose whole name the one pattern matches and the other does not."""

    unit_include: Pattern = option(INCLUDE, "Units to publish.")
    unit_exclude: Pattern = option(EXCLUDE, "Units to leave out, of those to publish.")
    private: bool = option(False, "Ask systemd without the bus, as root.")
    enable_task_metrics: bool = option(False, "Publish the tasks of each service, and how many it may have.")
    enable_restarts_metrics: bool = option(False, "Publish how often each service was restarted.")
    enable_start_time_metrics: bool = option(False, "Publish when each unit became active.")

    def keeps(self, name: str) -> bool:
        """Whether a unit is published."""
        return self.unit_include.fullmatch(name) is not None and self.unit_exclude.fullmatch(name) is None


class _Wanted(NamedTuple):
    """A property that is published for each unit with a suffix; `scale` makes its value, or None for no sample."""

    metric: Metric
    suffix: str
    interface: str
    name: str
    scale: Callable[[int], float | None] = float


def _seconds(microseconds: int) -> float:
    return microseconds / MICRO


def _limited(number: int) -> float | None:
    return None if number == UNLIMITED else float(number)


SOCKETS = (
    _Wanted(ACCEPTED, ".socket", "Socket", "NAccepted"),
    _Wanted(CONNECTIONS, ".socket", "Socket", "NConnections"),
    _Wanted(REFUSED, ".socket", "Socket", "NRefused"),
)
TIMERS = (_Wanted(LAST_TRIGGER, ".timer", "Timer", "LastTriggerUSec", _seconds),)
RESTARTED = (_Wanted(RESTARTS, ".service", "Service", "NRestarts"),)
OF_TASKS = (
    _Wanted(TASKS, ".service", "Service", "TasksCurrent", _limited),
    _Wanted(TASKS_MAX, ".service", "Service", "TasksMax", _limited),
)
STARTED = _Wanted(START_TIME, "", "Unit", "ActiveEnterTimestamp", _seconds)


class _Unit(NamedTuple):
    """A unit as ListUnits tells of it."""

    name: str
    loaded: bool
    state: str
    path: str

    @property
    def suffix(self) -> str:
        return self.name[self.name.rfind(".") :]


class Systemd:
    """Asks twice a scrape: what there is, then the properties of all units together."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        self._options = options if options is not None else Options()
        self._connect = host.calls.systemd
        self._bus: Bus | None = None
        self._keeps: dict[str, bool] = {}
        self._types: dict[str, str] = {}
        self._types_as_of: object = None

    def collect(self, now: float) -> Iterator[Family]:
        version, virtualization, state, loaded, listed = self._ask(
            [_property(_MANAGER, "Manager", name) for name in ("Version", "Virtualization", "SystemState", LOADED)]
            + [Question(_MANAGER, "org.freedesktop.systemd1.Manager", "ListUnits")]
        )
        number, text = parsed_version(_text(version))
        yield VERSION.family([((text,), number)])
        kind = "unknown" if isinstance(virtualization, OSError) else _text(virtualization) or "none"
        yield VIRTUALIZATION.family([((kind,), 1)])
        units = _units(listed)
        yield UNITS.family(_summary(units))
        yield from self._properties(self._published(units), _value(loaded), tells_more=number >= STATE_SINCE)
        if number >= STATE_SINCE:
            if isinstance(state, OSError):
                raise Malformed("systemd", 0, f"the state of the system: {state.strerror}")
            yield RUNNING.single(float(_text(state) == "running"))

    def _published(self, units: list[_Unit]) -> list[_Unit]:
        keeps, chosen = self._keeps, self._options.keeps
        self._keeps = {unit.name: keeps[unit.name] if unit.name in keeps else chosen(unit.name) for unit in units}
        return [unit for unit in units if unit.loaded and self._keeps[unit.name]]

    def _properties(self, units: list[_Unit], loaded: object, *, tells_more: bool) -> Iterator[Family]:
        """The state of each unit, and what else is published of it."""
        wanted = self._wanted(units, tells_more=tells_more)
        untyped = self._without_type(units, loaded)
        pairs = [(want, unit) for want, chosen in wanted.items() for unit in chosen]
        answers = self._ask(
            [_property(unit.path, TYPED[unit.suffix], "Type") for unit in untyped]
            + [_property(unit.path, want.interface, want.name) for want, unit in pairs]
        )
        for unit, answer in zip(untyped, answers, strict=False):
            if kind := _text(answer):
                self._types[unit.name] = kind
        if late := next((answer for answer in answers if isinstance(answer, TimeoutError)), None):
            raise _unanswered(late) from late
        yield UNIT_STATE.family(
            [
                ((unit.name, state, self._types.get(unit.name, "")), float(state == unit.state))
                for unit in units
                for state in STATES
            ]
        )
        samples: dict[Metric, list[Sample]] = {want.metric: [] for want in wanted}
        if self._options.enable_start_time_metrics:
            samples[START_TIME] = [((unit.name,), 0.0) for unit in units if unit.state != "active"]
        for (want, unit), answer in zip(pairs, answers[len(untyped) :], strict=True):
            value = _value(answer)
            published = want.scale(value) if isinstance(value, int) else None
            if published is not None:
                samples[want.metric].append(((unit.name,), published))
        yield from (metric.family(of) for metric, of in samples.items())

    def _wanted(self, units: list[_Unit], *, tells_more: bool) -> dict[_Wanted, list[_Unit]]:
        """The units to ask for each property."""
        chosen = self._options
        properties = [
            *SOCKETS,
            *(TIMERS if tells_more else ()),
            *(RESTARTED if chosen.enable_restarts_metrics else ()),
            *(OF_TASKS if chosen.enable_task_metrics else ()),
        ]
        wanted = {want: [unit for unit in units if unit.suffix == want.suffix] for want in properties}
        if chosen.enable_start_time_metrics:
            wanted[STARTED] = [unit for unit in units if unit.state == "active"]
        return wanted

    def _without_type(self, units: list[_Unit], loaded: object) -> list[_Unit]:
        """The units whose type is not known: new ones, and all when systemd has read its files again.

        `loaded` is the time when it last did, which systemd tells from version 250 on.
        """
        typed = [unit for unit in units if unit.suffix in TYPED]
        known = self._types if loaded is not None and loaded == self._types_as_of else {}
        self._types = {unit.name: known[unit.name] for unit in typed if unit.name in known}
        self._types_as_of = loaded
        return [unit for unit in typed if unit.name not in self._types]

    def _ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        try:
            if self._bus is None:
                self._bus = self._connect(self._options.private)
            return self._bus.ask(questions) if questions else ()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOSYS):
                raise NoData(f"no systemd: {error.strerror or error}") from error
            raise _unanswered(error) from error


def _unanswered(error: OSError) -> Malformed:
    return Malformed("systemd", 0, f"an answer over D-Bus: {error.strerror or error}")


def _property(path: str, interface: str, name: str) -> Question:
    return Question(path, "org.freedesktop.DBus.Properties", "Get", (f"org.freedesktop.systemd1.{interface}", name))


def _value(answer: Answer) -> object:
    """The value of a property, which comes with its type before it; None where there is none."""
    match answer:
        case ((str(), value),):
            return value
        case _:
            return None


def _text(answer: Answer) -> str:
    value = _value(answer)
    return value if isinstance(value, str) else ""


def _units(answer: Answer) -> list[_Unit]:
    """All units, each name once. Raises Malformed."""
    match answer:
        case (list(rows),):
            return list({unit.name: unit for unit in map(_unit, rows)}.values())
        case OSError():
            raise Malformed("systemd", 0, f"a list of units: {answer.strerror}")
        case _:
            raise Malformed("systemd", 0, "a list of units")


def _unit(row: object) -> _Unit:
    match row:
        case (str(name), str(), str(load), str(active), str(), str(), str(path), *_):
            return _Unit(name, load == "loaded", active, path)
        case _:
            raise Malformed("systemd", 0, "a unit of ten fields")


def _summary(units: Iterable[_Unit]) -> list[Sample]:
    """The number of units in each state, published or not."""
    numbers = dict.fromkeys(STATES, 0)
    for unit in units:
        numbers[unit.state] = numbers.get(unit.state, 0) + 1
    return [((state,), number) for state, number in numbers.items()]


def parsed_version(text: str) -> tuple[float, str]:
    """The version as a number, and its text: `252.31-1~deb12u1` is 252.31; 0 and no text where there is no number."""
    matched = _VERSION.search(text)
    return (float(matched.group()), text) if matched else (0.0, "")
