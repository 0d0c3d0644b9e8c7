"""Prometheus' rules API: what Grafana and every Prometheus client read to show rules and alerts.

Paths, parameters and fields: web/api/v1/api.go of Prometheus (`RulesResponse`, `AlertsResponse`). Everything comes in
the envelope `{status, data}`, an error in `{status, errorType, error}`.
"""

import platform
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from alerting.api.answers import BadRequest, flag, json_answer
from alerting.engine.engine import GroupView, RuleView
from alerting.engine.state import ACTIVE, AlertState, State
from alerting.rules.golang.printing import exponential
from alerting.rules.rule import AlertingRule
from fenghuo import __version__
from fenghuo.clock import rfc3339

NEVER = "0001-01-01T00:00:00Z"
LEVEL = "2.55.0"
"""The version of Prometheus whose API this is; clients choose features by it."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


class PrometheusApi:
    """The handlers; `view` gives the groups as they are at each request."""

    def __init__(self, view: Callable[[], Sequence[GroupView]]) -> None:
        self._view = view

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        router = application.router
        router.add_get("/api/v1/rules", _enveloped(self.get_rules))
        router.add_get("/api/v1/alerts", _enveloped(self.get_alerts))
        router.add_get("/api/v1/status/buildinfo", _enveloped(self.get_buildinfo))

    async def get_rules(self, request: web.Request) -> web.Response:
        wanted = _Wanted(request)
        groups = [
            group_view(view, wanted.rules(view), wanted.with_alerts) for view in self._view() if wanted.group(view)
        ]
        return _success({"groups": [group for group in groups if group["rules"] or not wanted.narrow]})

    async def get_alerts(self, _: web.Request) -> web.Response:
        rules = [rule for group in self._view() for rule in group.rules]
        return _success({"alerts": [alert for rule in rules for alert in alert_views(rule)]})

    async def get_buildinfo(self, _: web.Request) -> web.Response:
        return _success(
            {
                "version": LEVEL,
                "revision": f"fenghuo-{__version__}",
                "branch": "fenghuo",
                "buildUser": "",
                "buildDate": "",
                "goVersion": f"python{platform.python_version()}",
            }
        )


class _Wanted:
    """The parameters of `/api/v1/rules`. Raises BadRequest."""

    def __init__(self, request: web.Request) -> None:
        query = request.query
        kind = query.get("type", "").lower()
        if kind not in ("", "alert", "record"):
            raise BadRequest(f"expected alert or record for type, got {kind!r}")
        self._type = {"": "", "alert": "alerting", "record": "recording"}[kind]
        self._names = set(query.getall("rule_name[]", []))
        self._groups = set(query.getall("rule_group[]", []))
        self._files = set(query.getall("file[]", []))
        self.with_alerts = not flag(request, "exclude_alerts", default=False)
        self.narrow = bool(self._type or self._names)

    def group(self, view: GroupView) -> bool:
        return (not self._groups or view.group.name in self._groups) and (
            not self._files or view.group.file in self._files
        )

    def rules(self, view: GroupView) -> list[RuleView]:
        return [
            rule
            for rule in view.rules
            if self._type in ("", rule.rule.type) and (not self._names or rule.rule.name in self._names)
        ]


def group_view(view: GroupView, rules: Sequence[RuleView], with_alerts: bool) -> dict[str, Any]:
    """A group as JSON."""
    return {
        "name": view.group.name,
        "file": view.group.file,
        "rules": [rule_view(rule, with_alerts) for rule in rules],
        "interval": view.group.interval,
        "limit": view.group.limit,
        "evaluationTime": view.evaluation_seconds,
        "lastEvaluation": _time(view.last_evaluation),
    }


def rule_view(view: RuleView, with_alerts: bool) -> dict[str, Any]:
    """A rule as JSON."""
    rule, status = view.rule, view.status
    common: dict[str, Any] = {"name": rule.name, "query": rule.expr, "health": status.health}
    if status.last_error:
        common["lastError"] = status.last_error
    if rule.labels or isinstance(rule, AlertingRule):
        common["labels"] = {name: template.text for name, template in rule.labels}
    common |= {
        "evaluationTime": status.evaluation_seconds,
        "lastEvaluation": _time(status.last_evaluation),
        "type": rule.type,
    }
    if not isinstance(rule, AlertingRule):
        return common
    return {
        "state": _rule_state(view),
        **common,
        "duration": rule.hold,
        "keepFiringFor": rule.keep_firing_for,
        "annotations": {name: template.text for name, template in rule.annotations},
        "alerts": alert_views(view) if with_alerts else [],
    }


def alert_views(view: RuleView) -> list[dict[str, Any]]:
    """The active alerts of a rule as JSON."""
    return [_alert(alert) for alert in view.state.alerts.values() if alert.state in ACTIVE]


def _alert(alert: AlertState) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": _shown(alert.state),
        "activeAt": rfc3339(alert.active_at),
        "value": exponential(alert.value),
    }
    if alert.keeping_since is not None:
        shown["keepFiringSince"] = rfc3339(alert.keeping_since)
    return shown


def _rule_state(view: RuleView) -> str:
    """The highest state of the rule's alerts."""
    states = {_shown(alert.state) for alert in view.state.alerts.values()}
    return next((state for state in ("firing", "pending") if state in states), "inactive")


def _shown(state: State) -> str:
    """The word of Prometheus for a state of ours."""
    return {State.PENDING: "pending", State.FIRING: "firing", State.KEEPING: "firing"}.get(state, "inactive")


def _time(seconds: float | None) -> str:
    return NEVER if seconds is None else rfc3339(seconds)


def _success(data: object) -> web.Response:
    return json_answer({"status": "success", "data": data})


def _enveloped(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except BadRequest as error:
            return json_answer({"status": "error", "errorType": "bad_data", "error": str(error)}, 400)

    return answer
