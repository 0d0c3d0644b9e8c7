"""One step between a due group and its receivers: a named object with one method."""

from dataclasses import dataclass
from typing import Protocol

from alerting.notify.dedup import Reason
from alerting.routing.grouping import Flush


@dataclass(frozen=True, slots=True)
class Ended:
    """The flush goes no further, and that is well: there is nothing to tell, or it is stored to be told."""

    reason: Reason
    stored: bool = False


class Stage(Protocol):
    """A step of the pipeline.

    It returns the flush, possibly with fewer alerts or more knowledge, or Ended with the reason. It never reads
    a clock: the flush carries its time. What it raises fails the flush, and the group's next tick tries again.
    """

    @property
    def name(self) -> str:
        """One word, for the printed pipeline."""
        ...

    async def __call__(self, flush: Flush) -> Flush | Ended: ...
