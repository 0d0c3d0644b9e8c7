"""The console receiver: prints once, keeps for the page."""

import asyncio
import io
from dataclasses import replace

from alerting.notify.outcome import Delivered, FailReason, TryAgain
from alerting.notify.ports import KeptMessage
from alerting.receivers.tools import Tools
from alerting.testing import MemoryMessages
from fenghuo.errors import StorageError
from tests.alerting.notify.builders import firing, notification
from tests.alerting.receivers.builders import receiver_config, tools


def tell(given: Tools, *serials: int) -> tuple[str, list[object]]:
    """What is printed, and the outcomes, when messages of these serials are sent."""

    async def main() -> list[object]:
        [integration] = receiver_config("name: team\nconsole_configs: [{}]").build(given)
        return [await integration.receiver.send(notification(firing("A", "It burns")), serial) for serial in serials]

    outcomes = asyncio.run(main())
    assert isinstance(given.output, io.StringIO)
    return given.output.getvalue(), outcomes


def test_a_message_is_printed_and_kept() -> None:
    given = tools()
    printed, outcomes = tell(given, 1)
    assert outcomes == [Delivered()]
    assert printed.startswith("FIRING A: 1 firing\n  FIRING    It burns\n")
    [kept] = given.messages.newest(10)
    assert (kept.id, kept.receiver, kept.status, kept.title) == (1, "team", "firing", "FIRING A: 1 firing")
    assert kept.text + "\n" == printed


def test_a_message_that_comes_again_after_a_crash_is_printed_once() -> None:
    printed, outcomes = tell(tools(), 1, 1, 2)
    assert outcomes == [Delivered()] * 3
    assert printed.count("FIRING A: 1 firing") == 2


class FullDisk(MemoryMessages):
    async def keep(self, message: KeptMessage) -> bool:
        raise StorageError("the disk is full")


def test_a_message_that_can_not_be_kept_comes_again() -> None:
    printed, outcomes = tell(replace(tools(), messages=FullDisk()), 1)
    assert (printed, outcomes) == ("", [TryAgain(FailReason.OTHER, "the disk is full")])


def test_of_a_large_message_as_many_alerts_are_kept_as_are_written_out() -> None:
    async def main() -> KeptMessage:
        given = tools()
        [integration] = receiver_config("name: team\nconsole_configs: [{}]").build(given)
        await integration.receiver.send(notification(*(firing("A", n=str(n)) for n in range(500))), 1)
        return given.messages.newest(1)[0]

    kept = asyncio.run(main())
    assert len(kept.notification.alerts) == 50
    assert kept.title == "FIRING A: 500 firing"
    assert kept.text.endswith("and 450 more")
