"""A webhook: Alertmanager's payload, version "4", by POST.

Shape: notify/webhook/webhook.go and template/template.go of Alertmanager.
"""

from typing import Any

from pydantic import Field, model_validator

from alerting.model.alert import Alert
from alerting.notify.golang import NEVER, go_json, go_time, quote_meta
from alerting.notify.message import FIRING, RESOLVED, Notification, common, status_of
from alerting.notify.outcome import Outcome
from alerting.notify.ports import Receiver
from alerting.receivers.http_calls import LARGEST_ANSWER, USER_AGENT, HttpConfig, is_http_url, post
from alerting.receivers.tools import IntegrationConfig, Tools
from fenghuo.config import Seconds
from fenghuo.httpcall import Request
from fenghuo.secrets import Secret

DEFAULT_TIMEOUT = 10.0


class WebhookConfig(IntegrationConfig):
    """One entry of `webhook_configs`. `url` is a secret, for it often holds a token; also `url_file`.

    `max_alerts` 0 sends all; `timeout` (seconds) 0 means ten seconds.
    """

    url: Secret
    http_config: HttpConfig = HttpConfig()
    max_alerts: int = Field(default=0, ge=0)
    timeout: Seconds = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _url_is_http(self) -> "WebhookConfig":
        if not is_http_url(self.url.reveal().strip()):
            raise ValueError("expected url to be http://HOST or https://HOST, with a port and a path as needed")
        return self

    def build(self, tools: Tools) -> Receiver:
        return Webhook(self, tools)


class Webhook:
    """Sends each notification as one POST."""

    def __init__(self, config: WebhookConfig, tools: Tools) -> None:
        self._config = config
        self._tools = tools

    async def send(self, notification: Notification, serial: int) -> Outcome:
        body = payload(notification, self._config.max_alerts, self._tools.external_url)
        request = Request(
            "POST",
            self._config.url.reveal().strip(),
            go_json(body),
            {"Content-Type": "application/json", "User-Agent": USER_AGENT, **self._config.http_config.headers()},
            timeout=self._config.timeout or DEFAULT_TIMEOUT,
            largest_answer=LARGEST_ANSWER,
            status_decides=True,
        )
        return await post(self._tools.http, request, self._tools.clock.now())


def payload(notification: Notification, max_alerts: int, external_url: str) -> dict[str, Any]:
    """The message as Alertmanager writes it, in its order of keys. Pure.

    As there, `max_alerts` cuts first, and status and common labels are those of the alerts that remain.
    """
    alerts = notification.alerts[:max_alerts] if max_alerts else notification.alerts
    return {
        "receiver": quote_meta(notification.receiver),  # it quotes the name for expressions, and so do we
        "status": status_of(alerts),
        "alerts": [alert_json(alert) for alert in alerts],
        "groupLabels": notification.group_labels,
        "commonLabels": common(alert.labels for alert in alerts),
        "commonAnnotations": common(alert.annotations for alert in alerts),
        "externalURL": external_url,
        "version": "4",
        "groupKey": notification.group_key,
        "truncatedAlerts": len(notification.alerts) - len(alerts),
    }


def alert_json(alert: Alert) -> dict[str, Any]:
    """One alert of the payload; a firing one has no end, which Go writes as the year 1."""
    return {
        "status": FIRING if alert.ends_at is None else RESOLVED,
        "labels": dict(sorted(alert.labels.items())),
        "annotations": dict(sorted(alert.annotations.items())),
        "startsAt": go_time(alert.starts_at, alert.offsets[0]),
        "endsAt": NEVER if alert.ends_at is None else go_time(alert.ends_at, alert.offsets[1]),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }
