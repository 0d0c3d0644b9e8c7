"""The console: prints each message to standard output and keeps it for the web page and the API."""

from dataclasses import replace

from alerting.notify.message import Notification
from alerting.notify.outcome import Delivered, FailReason, Outcome, TryAgain
from alerting.notify.ports import KeptMessage, Receiver
from alerting.notify.render import LONGEST_LIST, text_of, title_of
from alerting.receivers.tools import IntegrationConfig, Tools
from fenghuo.errors import StorageError


class ConsoleConfig(IntegrationConfig):
    """One entry of `console_configs`; it has no settings of its own."""

    def build(self, tools: Tools) -> Receiver:
        return Console(tools)


class Console:
    """Keeps first and prints then, so that what is kept is never printed twice."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def send(self, notification: Notification, serial: int) -> Outcome:
        now = self._tools.clock.now()
        message = KeptMessage(
            sent_at=now,
            receiver=notification.receiver,
            status=notification.status,
            title=title_of(notification),
            text=text_of(notification, now),
            # as many as the text lists: a thousand messages of thousands of alerts are too much to hold
            notification=replace(notification, alerts=notification.alerts[:LONGEST_LIST]),
            serial=serial,
        )
        try:
            new = await self._tools.messages.keep(message)
        except StorageError as error:
            return TryAgain(FailReason.OTHER, str(error))
        if new:
            print(message.text, file=self._tools.output, flush=True)
        return Delivered()
