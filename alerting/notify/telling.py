"""One generation of the telling half: a route tree, its receivers, and all that works between them.

A reload builds a new one from the new configuration and closes the old; alerts, log and outbox outlive both.
"""

from collections.abc import Iterable, Mapping, Sequence

from alerting.model.alert import Alert
from alerting.notify.courier import Couriers
from alerting.notify.metrics import NotifyMetrics
from alerting.notify.outbox import Outbox
from alerting.notify.pipeline import Dedup, Fanout, Pipeline, Store
from alerting.notify.ports import Integration, NotificationStore
from alerting.routing.dispatcher import Dispatcher
from alerting.routing.grouping import Flush
from alerting.routing.tree import Route
from fenghuo.clock import Clock


class Telling:
    """Takes stored alerts and sees to it that their receivers are told.

    `receivers` maps each receiver's name, in the order of the configuration, to its integrations.
    """

    def __init__(
        self,
        tree: Route,
        receivers: Mapping[str, Sequence[Integration]],
        store: NotificationStore,
        metrics: NotifyMetrics,
        clock: Clock,
    ) -> None:
        self.tree = tree
        self.receivers = tuple(receivers)
        self._couriers = Couriers(
            store, {one.key: one for integrations in receivers.values() for one in integrations}, metrics, clock
        )
        outbox = Outbox(store, self._couriers, metrics)
        branches = {
            name: [Pipeline([Dedup(one, outbox), Store(one, outbox)]) for one in integrations]
            for name, integrations in receivers.items()
        }
        self.pipeline = Pipeline([Fanout(branches, metrics)])
        self.dispatcher = Dispatcher(tree, self._notify, clock)
        metrics.watch(lambda: len(store.all_pending()), lambda: len(self.dispatcher.groups()))

    def start(self, alerts: Iterable[Alert]) -> None:
        """Go on with the outbox, put the stored alerts into groups and begin to keep time."""
        self._couriers.start()
        self.dispatcher.ingest(alerts)
        self.dispatcher.start()

    def ingest(self, alerts: Sequence[Alert]) -> None:
        """Take alerts that were stored just now; the listener of the alert store."""
        self.dispatcher.ingest(alerts)

    async def close(self) -> None:
        """Stop; what is not yet told stays stored."""
        await self.dispatcher.close()
        await self._couriers.close()

    async def _notify(self, flush: Flush) -> bool:
        """What the pipeline ends without raising has been told, stored to be told, or needs no telling."""
        await self.pipeline(flush)
        return True
