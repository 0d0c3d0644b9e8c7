"""Alertmanager's API v2: what Prometheus sends to and what amtool, Grafana and karma read.

Paths, parameters and shapes: api/v2/openapi.yaml of Alertmanager. An error is a JSON text with status 400.
"""

import platform
from collections.abc import Awaitable, Callable

from aiohttp import web

from alerting.api.answers import NO_STORE, BadRequest, decode, json_answer
from alerting.api.metrics import ApiMetrics
from alerting.api.posted import read_alerts
from alerting.api.views import AlertQuery, alert_view, read_query
from alerting.model.alert import Alert
from alerting.notify.golang import api_time
from alerting.notify.telling import Telling
from alerting.receivers.http_calls import ALERTMANAGER_VERSION
from alerting.routing.grouping import Group
from alerting.routing.order import alert_order, label_order
from alerting.storage.alerts import RESOLVE_TIMEOUT, AlertStore
from fenghuo import __version__
from fenghuo.clock import Clock
from fenghuo.errors import StorageError

Handler = Callable[[web.Request], Awaitable[web.Response]]


class AlertmanagerApi:
    """The handlers. `telling` and `config_text` are asked at each request, because a reload changes them.

    `config_text` gives the configuration as YAML without secrets.
    """

    def __init__(
        self,
        alerts: AlertStore,
        telling: Callable[[], Telling],
        config_text: Callable[[], str],
        metrics: ApiMetrics,
        clock: Clock,
    ) -> None:
        self._alerts = alerts
        self._telling = telling
        self._config_text = config_text
        self._metrics = metrics
        self._clock = clock
        self._started = clock.now()

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        router = application.router
        router.add_get("/api/v2/alerts", _answered(self.get_alerts))
        router.add_post("/api/v2/alerts", _answered(self.post_alerts))
        router.add_get("/api/v2/alerts/groups", _answered(self.get_groups))
        router.add_get("/api/v2/receivers", _answered(self.get_receivers))
        router.add_get("/api/v2/status", _answered(self.get_status))

    async def post_alerts(self, request: web.Request) -> web.Response:
        """Store the good alerts of a batch, and say what is wrong with the others."""
        items = decode(await request.read())
        if not isinstance(items, list):
            raise BadRequest(f"expected an array of alerts, got {type(items).__name__}")
        now = self._clock.now()
        posted = read_alerts(items, now, RESOLVE_TIMEOUT)
        self._metrics.received(posted.alerts, now, len(posted.errors))
        await self._alerts.put(posted.alerts)
        if posted.errors:
            raise BadRequest("; ".join(posted.errors))
        return web.Response(headers=NO_STORE)

    async def get_alerts(self, request: web.Request) -> web.Response:
        query, now = read_query(request), self._clock.now()
        dispatcher = self._telling().dispatcher
        shown = []
        for alert in self._alerts.all():
            if not query.wants(alert, now):
                continue
            receivers = dispatcher.receivers_of(alert)
            if any(query.wants_receiver(name) for name in receivers):
                shown.append(self._view(alert, receivers))
        return json_answer(sorted(shown, key=lambda view: str(view["fingerprint"])))

    async def get_groups(self, request: web.Request) -> web.Response:
        query = read_query(request)
        groups = [group for group in self._telling().dispatcher.groups() if query.wants_receiver(group.route.receiver)]
        groups.sort(key=lambda group: (label_order(group.labels), group.route.receiver))
        views = [self._group_view(group, query) for group in groups]
        return json_answer([view for view in views if view["alerts"]])

    async def get_receivers(self, _: web.Request) -> web.Response:
        return json_answer([{"name": name} for name in self._telling().receivers])

    async def get_status(self, _: web.Request) -> web.Response:
        return json_answer(
            {
                "cluster": {"peers": [], "status": "disabled"},
                "config": {"original": self._config_text()},
                "uptime": api_time(self._started),
                "versionInfo": {
                    "branch": "fenghuo",
                    "buildDate": "",
                    "buildUser": "",
                    "goVersion": f"python{platform.python_version()}",
                    "revision": f"fenghuo-{__version__}",
                    "version": ALERTMANAGER_VERSION,
                },
            }
        )

    def _group_view(self, group: Group, query: AlertQuery) -> dict[str, object]:
        now, dispatcher = self._clock.now(), self._telling().dispatcher
        alerts = sorted((alert for alert in group.alerts.values() if query.wants(alert, now)), key=alert_order)
        return {
            "alerts": [self._view(alert, dispatcher.receivers_of(alert)) for alert in alerts],
            "labels": dict(group.labels),
            "receiver": {"name": group.route.receiver},
        }

    def _view(self, alert: Alert, receivers: list[str]) -> dict[str, object]:
        # an alert of our own rules has no end until it is over; clients need a time, and this is what others send
        return alert_view(alert, receivers, self._clock.now() + RESOLVE_TIMEOUT)


def _answered(handler: Handler) -> Handler:
    """Turn what a handler may raise into the answer that clients of Alertmanager expect."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except BadRequest as error:
            return json_answer(str(error), 400)
        except StorageError as error:
            return json_answer(f"not stored, send again: {error}", 503)

    return answer
