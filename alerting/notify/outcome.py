"""What a receiver answers: a value with a reason, never an exception."""

from dataclasses import dataclass
from enum import StrEnum


class FailReason(StrEnum):
    """Why a message did not arrive; Alertmanager's own words, as its dashboards query them."""

    CLIENT_ERROR = "clientError"
    SERVER_ERROR = "serverError"
    TIMEOUT = "contextDeadlineExceeded"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not now. `after` is the least number of seconds to wait, when the receiver named one."""

    reason: FailReason
    detail: str
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: sending the same again would get the same answer."""

    reason: FailReason
    detail: str


Outcome = Delivered | TryAgain | Refused
