"""An alert: what is wrong, since when, and whether it is over.

The same value for an alert of our own rules and for one that came in by `POST /api/v2/alerts`. It knows
nothing of rules, of silences or of who is told.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from alerting.model.labels import Labels, fingerprint

Status = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Times are Unix seconds.

    `ends_at` None means: goes on until told otherwise, and that is how our own rules send a firing alert,
    because missing news must never resolve one. `timeout` says that `ends_at` was not given by the sender
    but set by `resolve_timeout`; `offsets` are the zones in which the sender wrote start and end, in seconds
    east of UTC, so that they are shown as they were written. Two alerts are the same alert when their `fingerprint` is.
    """

    labels: Labels
    annotations: Labels
    starts_at: float
    ends_at: float | None = None
    updated_at: float = 0.0
    generator_url: str = ""
    timeout: bool = False
    offsets: tuple[int, int] = field(default=(0, 0), compare=False)
    fingerprint: str = field(init=False, compare=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint(self.labels))

    @property
    def name(self) -> str:
        """The label `alertname`, "" when the sender gave none."""
        return self.labels.get("alertname", "")

    def resolved_at(self, now: float) -> bool:
        """Whether it is over at `now`; the moment of its end counts as over."""
        return self.ends_at is not None and self.ends_at <= now

    def status(self, now: float) -> Status:
        """The word that the API and every message use."""
        return "resolved" if self.resolved_at(now) else "firing"


def merge(old: Alert, new: Alert) -> Alert:
    """Join two reports of one alert, the older first; the newer gives labels, annotations and URL.

    Alertmanager's rules (types.go, `Alert.Merge`): reports whose times don't overlap are two events, and the
    newer stands alone. Otherwise the earliest start wins; of two ends that have passed the later one; and an
    end that a sender gave beats one that a timeout set, if it is later. An alert without an end goes on until
    told otherwise, and an end that a sender gave tells it so, though it be a little ahead of our clock. Which is
    newer is what the caller says and not `updated_at`, for the clock may have been set back between the two.
    """
    if not _overlap(old, new):
        return new
    end = _whose_end(old, new)
    start = old if old.starts_at < new.starts_at else new
    return replace(
        new,
        starts_at=start.starts_at,
        ends_at=end.ends_at,
        timeout=end.timeout,
        offsets=(start.offsets[0], end.offsets[1]),  # each time in the zone in which its sender wrote it
    )


def _overlap(one: Alert, other: Alert) -> bool:
    return max(one.starts_at, other.starts_at) <= min(_ending(one), _ending(other))


def _ending(alert: Alert) -> float:
    return float("inf") if alert.ends_at is None else alert.ends_at


def _whose_end(old: Alert, new: Alert) -> Alert:
    if old.ends_at is None:
        return old if new.timeout else new
    now = new.updated_at
    later = _ending(old) > _ending(new)
    both_over = new.resolved_at(now) and old.resolved_at(now)
    given_and_open = not new.resolved_at(now) and not old.timeout
    return old if later and (both_over or given_and_open) else new
