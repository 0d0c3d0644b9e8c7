"""The seam between judging and telling."""

from collections.abc import Sequence
from typing import Protocol

from alerting.model.alert import Alert


class AlertSink(Protocol):
    """Where alerts go to be routed, muted and told."""

    async def put(self, alerts: Sequence[Alert]) -> None:
        """Take the alerts. They are durable when this returns, and putting one twice changes nothing.

        Called by the engine after each evaluation and by the API; an alert is known by its fingerprint.
        Raises StorageError when they could not be kept; the caller puts them again later.
        """
        ...
