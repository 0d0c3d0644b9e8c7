"""From the parts' answers to the panels. Pure: what was answered in, values out, nothing asked here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fenghuo.up.messages import bare_title
from fenghuo.up.page import texts
from fenghuo.up.page.contexts import (
    AlertRow,
    AlertsPanel,
    ContainerRow,
    ContainersPanel,
    HostPanel,
    LogRow,
    LogsPanel,
    MessageRow,
    MessagesPanel,
    Tile,
)
from fenghuo.up.page.promql import Series
from fenghuo.up.times import seconds_of

Answers = Mapping[str, Sequence[Series]]

CONTAINERS_SHOWN = 50
ALERTS_SHOWN = 100
STATES = {"firing": 0, "pending": 1}


def host_panel(ranges: Answers, instants: Answers) -> HostPanel:
    """The four tiles; what the exporter does not tell is a dash."""
    cpus = _latest(instants, "cpus")
    load = _latest(ranges, "load")
    total = _latest(instants, "memory_total")
    cpu, memory, disk = (_latest(ranges, name) for name in ("cpu", "memory", "disk"))
    used = None if memory is None or total is None else memory * total
    tiles = (
        Tile("CPU", texts.percent(cpu), f"of {cpus:.0f} CPUs" if cpus else "", cpu, _history(ranges, "cpu")),
        Tile(
            "Memory",
            texts.percent(memory),
            f"{texts.size(used)} of {texts.size(total)}" if used is not None else "",
            memory,
            _history(ranges, "memory"),
        ),
        Tile("Disk", texts.percent(disk), _fullest(instants), disk, _history(ranges, "disk")),
        _load_tile(load, cpus, _history(ranges, "load")),
    )
    if any(series for series in ranges.values()):
        return HostPanel(tiles)
    return HostPanel(tiles, "Prometheus has no metrics of this host yet; the first scrapes take some seconds")


def _load_tile(load: float | None, cpus: float | None, history: tuple[float, ...]) -> Tile:
    share = None if load is None or not cpus else min(1.0, load / cpus)
    value = texts.MISSING if load is None else f"{load:.2f}"
    return Tile("Load", value, "1 minute", share, history, ceiling=max(cpus or 1.0, *history, 0.0))


def _latest(answers: Answers, name: str) -> float | None:
    history = _history(answers, name)
    return history[-1] if history else None


def _history(answers: Answers, name: str) -> tuple[float, ...]:
    series = answers.get(name, ())
    return series[0].values if series else ()


def _fullest(instants: Answers) -> str:
    """The fullest file system and what it has free."""
    full = max(instants.get("filesystems", ()), key=lambda one: one.values[-1:] or (-1.0,), default=None)
    if full is None:
        return ""
    where = full.labels.get("mountpoint", "")
    free = next((one.values[-1] for one in instants.get("free", ()) if one.labels.get("mountpoint") == where), None)
    return f"{where}, {texts.size(free)} free"


def containers_panel(instants: Answers) -> ContainersPanel:
    """Containers by memory, the heaviest first; control groups where there is no container."""
    columns = {
        name: {_key(series): series.values[-1] for series in instants.get(f"container_{name}", ()) if series.values}
        for name in ("cpu", "memory", "limit", "throttled")
    }
    keys = set(columns["cpu"]) | set(columns["memory"])
    containers = {key for key in keys if key.is_container}
    shown = containers or {key for key in keys if key.id not in ("", "/")} or keys
    rows = [
        ContainerRow(
            namespace=key.namespace,
            pod=key.pod,
            container=key.shown,
            **{name: column.get(key) for name, column in columns.items()},
        )
        for key in shown
    ]
    rows.sort(key=lambda row: (-(row.memory or 0.0), row.namespace, row.pod, row.container))
    problem = "" if rows else "the cgroup exporter has told of no control group yet"
    return ContainersPanel(tuple(rows[:CONTAINERS_SHOWN]), len(rows), not containers, problem)


class _ContainerKey(NamedTuple):
    """What tells control groups apart. With every runtime a container's 64 digits are in its path."""

    namespace: str
    pod: str
    container: str
    name: str
    id: str

    @property
    def is_container(self) -> bool:
        """A pod's sandbox (`POD`) is none that anybody asked for."""
        return self.container != "POD" and bool(self.container or _CONTAINER_ID.search(self.id))

    @property
    def shown(self) -> str:
        """The best name that is known: Kubernetes', the engine's, the first digits of the id, the path."""
        digits = _CONTAINER_ID.search(self.id)
        named = "" if _CONTAINER_ID.search(self.name) else self.name
        return self.container or named or (digits[0][:12] if digits else self.id)


_CONTAINER_ID = re.compile("[0-9a-f]{64}")


def _key(series: Series) -> _ContainerKey:
    return _ContainerKey(*(series.labels.get(name, "") for name in _ContainerKey._fields))


def alerts_panel(rules: Any, received: Any) -> AlertsPanel:
    """Alerts of our rules (`/api/v1/rules`) and those that others sent (`/api/v2/alerts`), firing first."""
    every = [rule for group in rules["data"]["groups"] for rule in group["rules"]]
    rows = [_rule_alert(row) for rule in every for row in rule.get("alerts", ()) if row.get("state") in STATES]
    known = {row.labels for row in rows}
    rows += [row for row in map(_received_alert, received) if row.labels not in known]
    rows.sort(key=lambda row: (STATES.get(row.state, 2), -row.since))
    return AlertsPanel(tuple(rows[:ALERTS_SHOWN]), warning=_broken_rules(every))


def _broken_rules(rules: Sequence[Mapping[str, Any]]) -> str:
    """How many rules can't be evaluated and why the first can't; a rule in error neither fires nor resolves."""
    broken = [rule for rule in rules if rule.get("health") == "err"]
    if not broken:
        return ""
    first = f"{broken[0].get('name')}: {broken[0].get('lastError')}"
    return f"{len(broken)} of {len(rules)} rules can't be evaluated; {first}"


def _rule_alert(row: Mapping[str, Any]) -> AlertRow:
    return _alert(row, row["state"], row.get("activeAt"))


def _received_alert(row: Mapping[str, Any]) -> AlertRow:
    return _alert(row, "firing", row.get("startsAt"))


def _alert(row: Mapping[str, Any], state: str, since: object) -> AlertRow:
    labels, notes = row.get("labels", {}), row.get("annotations", {})
    name = labels.get("alertname", "?")
    summary = notes.get("summary") or notes.get("description") or ""
    return AlertRow(state, name, labels.get("severity", ""), summary, seconds_of(since), tuple(sorted(labels.items())))


def messages_panel(content: Any, shown: int) -> MessagesPanel:
    """Newest first, as the alert engine answers."""
    rows = [
        MessageRow(row["status"], bare_title(row["status"], row["title"]), seconds_of(row["sentAt"]))
        for row in content["messages"]
    ]
    return MessagesPanel(tuple(rows[:shown]))


def logs_panel(content: Any, query: str) -> LogsPanel:
    """Newest first, as the log pipeline answers."""
    rows = tuple(_log_rows(content["lines"]))
    return LogsPanel(query, rows, int(content.get("total") or len(rows)))


def _log_rows(lines: Iterable[Mapping[str, Any]]) -> Iterable[LogRow]:
    for line in lines:
        texts_of = {name: str(line.get(name) or "") for name in ("namespace", "pod", "container", "message")}
        yield LogRow(level=str(line.get("level") or ""), at=seconds_of(line["timestamp"]), **texts_of)
