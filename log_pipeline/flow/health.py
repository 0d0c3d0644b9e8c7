"""What is wrong with the flow at the moment, said at `/-/ready`, in a metric and in the log."""

from fenghuo.lifecycle import Lifecycle
from fenghuo.logs import get_logger


class Health:
    """Troubles by part (`source`, `sink`, `dead_letters`, `commit`); ready means opened and none."""

    def __init__(self, life: Lifecycle) -> None:
        self._life = life
        self._log = get_logger("logs")
        self._is_open = False
        self.troubles: dict[str, str] = {}

    def opened(self) -> None:
        """All parts are open: from here on the flow is ready when nothing is wrong."""
        self._is_open = True
        self._show()

    def trouble(self, part: str, reason: str) -> None:
        """The part does not work because of `reason`. Said aloud when that is news."""
        if self.troubles.get(part) != reason:
            self._log.error("in trouble, trying again; nothing is lost", part=part, reason=reason)
        self.troubles[part] = reason
        self._show()

    def well(self, part: str) -> None:
        """The part works."""
        if self.troubles.pop(part, None) is not None:
            self._log.info("well again", part=part)
        self._show()

    def _show(self) -> None:
        if self._life.stopping:
            return
        if self.troubles:
            self._life.not_ready("; ".join(f"{part}: {reason}" for part, reason in sorted(self.troubles.items())))
        elif self._is_open:
            self._life.ready()
