"""`GET /api/fenghuo/v1/messages`: what the console receiver has shown, newest first."""

from typing import Any

from aiohttp import web

from alerting.api.answers import BadRequest, json_answer, number
from alerting.model.alert import Alert
from alerting.notify.golang import NEVER, api_time
from alerting.notify.message import FIRING, RESOLVED
from alerting.notify.ports import KeptMessage, MessageStore

DEFAULT_LIMIT, LARGEST_LIMIT = 50, 1000


class MessagesApi:
    """The handler and its route."""

    def __init__(self, messages: MessageStore) -> None:
        self._messages = messages

    def add_to(self, application: web.Application) -> None:
        """Add the route."""
        application.router.add_get("/api/fenghuo/v1/messages", self.get_messages)

    async def get_messages(self, request: web.Request) -> web.Response:
        try:
            limit = number(request, "limit", DEFAULT_LIMIT, LARGEST_LIMIT)
        except BadRequest as error:
            return json_answer(str(error), 400)
        return json_answer({"messages": [message_view(message) for message in self._messages.newest(limit)]})


def message_view(message: KeptMessage) -> dict[str, Any]:
    """One message as JSON."""
    return {
        "id": message.id,
        "sentAt": api_time(message.sent_at),
        "receiver": message.receiver,
        "status": message.status,
        "title": message.title,
        "text": message.text,
        "alerts": [_alert_view(alert) for alert in message.notification.alerts],
    }


def _alert_view(alert: Alert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "status": FIRING if alert.ends_at is None else RESOLVED,
        "startsAt": api_time(alert.starts_at, alert.offsets[0]),
        "endsAt": NEVER if alert.ends_at is None else api_time(alert.ends_at, alert.offsets[1]),
        "fingerprint": alert.fingerprint,
    }
