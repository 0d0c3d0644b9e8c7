"""What every receiver does, the fake and each kind of the catalog: a new kind adds one line to `BUILDERS`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from alerting.notify.outcome import Delivered, Refused, TryAgain
from alerting.notify.ports import Receiver
from alerting.receivers.catalog import KINDS
from alerting.testing import FakeReceiver
from fenghuo.httpcall import AiohttpCaller
from fenghuo.testing import Recorded, RecordingServer, Reply
from tests.alerting.notify.builders import firing, notification, resolved
from tests.alerting.receivers.builders import receiver_config, tools

BUILDERS = {
    "fake": "",
    "console": "console_configs: [{}]",
    "webhook": "webhook_configs: [{url: URL}]",
}
"""Kind: its configuration, where URL stands for a server that records."""

OVER_HTTP = [kind for kind, text in BUILDERS.items() if "URL" in text]

Story = Callable[[Receiver, RecordingServer], Awaitable[None]]


def play(kind: str, story: Story) -> list[Recorded]:
    """Run the story on a receiver of this kind; what its server saw."""

    async def main() -> list[Recorded]:
        async with RecordingServer() as server, AiohttpCaller() as http:
            receiver: Receiver = FakeReceiver()
            if kind != "fake":
                text = f"name: team\n{BUILDERS[kind].replace('URL', server.url)}"
                [integration] = receiver_config(text).build(tools(http))
                receiver = integration.receiver
            await story(receiver, server)
            return server.requests

    return asyncio.run(main())


def test_every_kind_of_the_catalog_is_here() -> None:
    assert {kind.removesuffix("_configs") for kind in KINDS} == set(BUILDERS) - {"fake"}


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_message_is_delivered_whatever_is_in_it(kind: str) -> None:
    odd = replace(firing("A", 'line one\nline two \N{FIRE} "quoted"', path="C:\\x"), annotations={})
    messages = [
        notification(firing("A")),
        notification(resolved("A")),
        notification(firing("A"), resolved("B")),
        notification(odd),
        replace(notification(firing("A")), group_labels={}),
        notification(*(firing("A", n=str(number)) for number in range(300))),
    ]

    async def story(receiver: Receiver, _: RecordingServer) -> None:
        for serial, message in enumerate(messages, 1):
            assert await receiver.send(message, serial) == Delivered()

    play(kind, story)


@pytest.mark.parametrize("kind", BUILDERS)
def test_messages_may_be_sent_at_the_same_time(kind: str) -> None:
    async def story(receiver: Receiver, _: RecordingServer) -> None:
        sends = (receiver.send(notification(firing("A")), serial) for serial in range(1, 11))
        assert await asyncio.gather(*sends) == [Delivered()] * 10

    play(kind, story)


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_is_asked_again(kind: str, status: int) -> None:
    async def story(receiver: Receiver, server: RecordingServer) -> None:
        server.replies.append(Reply(status, headers={"Retry-After": "7"}))
        outcome = await receiver.send(notification(firing("A")), 1)
        assert isinstance(outcome, TryAgain)
        assert outcome.after == 7.0
        assert str(status) in outcome.detail

    play(kind, story)


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [400, 401, 404, 301])
def test_a_server_that_refuses_is_not_asked_again(kind: str, status: int) -> None:
    async def story(receiver: Receiver, server: RecordingServer) -> None:
        server.replies.append(Reply(status, b"no such hook", {"Location": "http://elsewhere"}))
        outcome = await receiver.send(notification(firing("A")), 1)
        assert isinstance(outcome, Refused)
        assert str(status) in outcome.detail

    assert len(play(kind, story)) == 1
