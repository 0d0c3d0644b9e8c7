"""A message is told once and in order, whichever side was away."""

import asyncio
from pathlib import Path

import pytest

from fenghuo.errors import RemoteRefused
from fenghuo.httpcall import Answer, Request
from fenghuo.testing import FakeCaller, ManualClock, answer
from fenghuo.up.messages import Message, MessageTeller, read_messages, untold


def row(number: int, status: str = "firing") -> dict[str, object]:
    return {"id": number, "sentAt": "2026-11-21T10:00:00.000Z", "status": status, "title": f"message {number}",
            "text": "text", "receiver": "console", "alerts": []}  # fmt: skip


def message(number: int) -> Message:
    return Message(number, "2026-11-21T10:00:00.000Z", "firing", f"message {number}", "text")


def test_what_is_new_comes_oldest_first() -> None:
    messages = [message(4), message(3), message(2)]
    assert [one.id for one in untold(messages, 2)] == [3, 4]
    assert untold(messages, 4) == []
    assert untold([], 4) == []
    assert [one.id for one in untold([message(1)], 9)] == [1], "the engine began anew"


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("FIRING LogErrorBurst shop", "LogErrorBurst shop"),
        ("[FIRING:2] LogErrorBurst shop", "LogErrorBurst shop"),
        ("LogErrorBurst FIRING", "LogErrorBurst FIRING"),
        ("FIRING", "FIRING"),
    ],
)
def test_a_status_is_not_said_twice(title: str, subject: str) -> None:
    assert Message(1, "", "firing", title, "").subject == subject


def test_what_is_no_message_is_left_out() -> None:
    assert read_messages({"messages": [row(1), {"id": "x"}, None]}) == [message(1)]
    assert read_messages([]) == []
    assert read_messages({"messages": 5}) == []


def test_told_once_over_polls_outages_and_restarts(tmp_path: Path) -> None:
    told: list[int] = []
    rows = [row(1)]

    def respond(request: Request) -> Answer:
        assert request.url == "http://engine/api/fenghuo/v1/messages?limit=200"
        return answer(200, {"messages": list(reversed(rows))})

    def teller(caller: FakeCaller) -> MessageTeller:
        file = tmp_path / "told.json"
        return MessageTeller("http://engine", caller, ManualClock(), file, lambda one: told.append(one.id))

    async def scenario() -> None:
        caller = FakeCaller(respond)
        first = teller(caller)
        await first.look()
        await first.look()
        caller.script.append(RemoteRefused("http://engine", "refused"))
        rows.append(row(2, "resolved"))
        await first.look()
        await first.look()
        rows.append(row(3))
        await teller(caller).look()  # the next run, on the same folder

    asyncio.run(scenario())
    assert told == [1, 2, 3]
