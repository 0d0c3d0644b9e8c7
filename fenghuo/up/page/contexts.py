"""What the page's template gets: one frozen dataclass for each panel, each with the reason why it is empty.

The same values are `GET /api/overview`. Numbers keep their units here (cores, bytes, shares of one, Unix
seconds); `texts.py` makes them readable.
"""

from dataclasses import dataclass

from fenghuo.up.status import StackStatus


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the host. `share` in 0..1 draws the bar, `history` oldest first, scaled by `ceiling`."""

    title: str
    value: str
    note: str
    share: float | None
    history: tuple[float, ...] = ()
    ceiling: float = 1.0


@dataclass(frozen=True, slots=True)
class HostPanel:
    """The machine. `problem` says why something is missing; empty when nothing is."""

    tiles: tuple[Tile, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """CPU in cores, memory and its limit in bytes (None: no limit), throttled as a share of periods."""

    namespace: str
    pod: str
    container: str
    cpu: float | None
    memory: float | None
    limit: float | None
    throttled: float | None


@dataclass(frozen=True, slots=True)
class ContainersPanel:
    """The heaviest containers, by memory. `are_cgroups`: no container was found, so these are control groups."""

    rows: tuple[ContainerRow, ...] = ()
    total: int = 0
    are_cgroups: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """A firing or pending alert; `since` is Unix seconds."""

    state: str
    name: str
    severity: str
    summary: str
    since: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AlertsPanel:
    """Firing first, the newest first among equals. `warning`: rules that can't be evaluated, and why."""

    rows: tuple[AlertRow, ...] = ()
    problem: str = ""
    warning: str = ""

    @property
    def firing(self) -> int:
        return sum(row.state == "firing" for row in self.rows)

    @property
    def pending(self) -> int:
        return sum(row.state == "pending" for row in self.rows)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message of the console receiver; `at` is Unix seconds."""

    status: str
    title: str
    at: float


@dataclass(frozen=True, slots=True)
class MessagesPanel:
    """What the console receiver was sent, newest first."""

    rows: tuple[MessageRow, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log line; `at` is Unix seconds."""

    level: str
    at: float
    namespace: str
    pod: str
    container: str
    message: str


@dataclass(frozen=True, slots=True)
class LogsPanel:
    """The last lines, newest first, that match `query` (empty: all)."""

    query: str = ""
    rows: tuple[LogRow, ...] = ()
    total: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page. `at` is Unix seconds."""

    at: float
    status: StackStatus
    host: HostPanel
    containers: ContainersPanel
    alerts: AlertsPanel
    messages: MessagesPanel
    logs: LogsPanel

    @property
    def title(self) -> str:
        """What the browser's tab says: the firing alerts first, `!` when the stack itself is unwell."""
        mark = "! " if not self.status.is_well else ""
        return f"{mark}({self.alerts.firing}) fenghuo" if self.alerts.firing else f"{mark}fenghuo"
