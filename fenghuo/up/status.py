"""What runs, where and how well: one document for `fenghuo up status`, the page and the metrics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fenghuo.durations import format_duration
from fenghuo.httpcall import safe_url
from fenghuo.up.parts import Part, State

WELL, UNWELL, NOT_RUNNING = 0, 1, 3
"""Exit codes of `fenghuo up status`; 3 is what `systemctl status` answers for a unit that does not run."""
LINES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part. `uptime` is seconds of readiness, None while it is not ready; `pid` None for what is not ours."""

    name: str
    title: str
    state: str
    url: str
    pid: int | None
    restarts: int
    uptime: float | None
    last_error: str
    log: str
    last_lines: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        return self.state == State.READY


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The whole stack. `state` is the state folder, `url` the page's, `stale` why this may be old news."""

    pid: int
    url: str
    state: str
    since: str
    uptime: float
    demo: bool
    parts: tuple[PartStatus, ...]
    stale: str = ""

    @property
    def is_well(self) -> bool:
        return not self.stale and all(part.is_ready for part in self.parts)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"running": True, "ok": self.is_well, **asdict(self)}


def status_of_part(part: Part, now: float, log: Path | None) -> PartStatus:
    """`now` is monotonic seconds."""
    well = part.state is State.READY
    return PartStatus(
        name=part.spec.name,
        title=part.spec.title,
        state="failing" if part.is_failing and not well else str(part.state),
        url=safe_url(part.spec.url).rstrip("/"),
        pid=part.pid,
        restarts=part.restarts,
        uptime=None if part.ready_since is None else round(now - part.ready_since, 1),
        last_error=part.last_error,
        log="" if log is None else str(log),
        last_lines=() if well else tuple(part.last_lines(LINES_SHOWN)),
    )


def read_status(content: Any, stale: str = "") -> StackStatus | None:
    """The document back as a value; None when it is none of ours."""
    try:
        rows = [{**row, "last_lines": tuple(row["last_lines"])} for row in content["parts"]]
        fields = {name: content[name] for name in ("pid", "url", "state", "since", "uptime", "demo")}
        return StackStatus(**fields, parts=tuple(PartStatus(**row) for row in rows), stale=stale)
    except (KeyError, TypeError):
        return None


def exit_code(status: StackStatus | None) -> int:
    """What `fenghuo up status` ends with; None means that nothing runs."""
    if status is None:
        return NOT_RUNNING
    return WELL if status.is_well else UNWELL


def table(status: StackStatus) -> list[str]:
    """The status as aligned lines for a terminal."""
    head = f"fenghuo up runs as process {status.pid} since {status.since}, state folder {status.state}"
    rows = [("part", "state", "url", "pid", "restarts", "ready for"), *map(_row, status.parts)]
    page = [f"page  {status.url}"] if status.url else []
    return [head, *page, *([status.stale] if status.stale else []), "", *aligned(rows), *_troubles(status.parts)]


def _row(part: PartStatus) -> tuple[str, ...]:
    ready_for = "-" if part.uptime is None else format_duration(int(part.uptime))
    return (part.title, part.state, part.url, str(part.pid or "-"), str(part.restarts), ready_for)


def _troubles(parts: Iterable[PartStatus]) -> list[str]:
    """Why parts are not ready, and what went wrong before with those that are."""
    lines = []
    for part in parts:
        if part.last_error:
            lines.append(f"{part.title}: last trouble: {part.last_error}")
        if not part.is_ready:
            lines += [f"    {line}" for line in part.last_lines]
            lines += [f"    whole output: {part.log}"] if part.log else []
    return ["", *lines] if lines else []


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their columns under one another, two spaces apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def not_running(folder: Path) -> Mapping[str, Any]:
    """The document when nothing runs on the folder."""
    return {"running": False, "ok": False, "state": str(folder)}
