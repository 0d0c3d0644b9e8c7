"""`kill -9` of a real engine while it tells: no message is lost, and only an unanswered one comes twice."""

import asyncio
from collections import Counter
from pathlib import Path

from fenghuo.testing import RecordingServer, Reply
from tests.stack.alerting_process import TellingEngine
from tests.stack.servers.waiting import wait_until

KILLS, ALERTS = 6, 60


def told(server: RecordingServer) -> Counter[tuple[str, str]]:
    """How often each (alertname, status) has arrived."""
    alerts = (alert for request in server.requests for alert in request.json()["alerts"])
    return Counter((alert["labels"]["alertname"], alert["status"]) for alert in alerts)


async def push(engine: TellingEngine, *names: str) -> None:
    body = "[" + ",".join(f'{{"labels":{{"alertname":"{name}"}}}}' for name in names) + "]"
    await asyncio.to_thread(engine.call, "POST", "/api/v2/alerts", body)


def test_a_message_without_an_answer_comes_once_more_and_then_never_again(tmp_path: Path) -> None:
    """Killed while the receiver holds the message; then while nothing is on its way."""

    async def main() -> None:
        async with RecordingServer() as server:
            server.replies.append(Reply(delay=600))
            engine = TellingEngine(tmp_path, server.url)
            try:
                await asyncio.to_thread(engine.start)
                await push(engine, "Held")
                await server.wait_for(1)
                engine.kill()
                await asyncio.to_thread(engine.start)
                await server.wait_for(2)
                await push(engine, "Next")  # its answer comes after that of the repeated one is recorded
                await server.wait_for(3)
                await asyncio.to_thread(engine.stop)
                await asyncio.to_thread(engine.start)
                await push(engine, "Last")
                await server.wait_for(4)
                expected = {("Held", "firing"): 2, ("Next", "firing"): 1, ("Last", "firing"): 1}
                assert told(server) == expected
            finally:
                engine.kill()

    asyncio.run(main())


def test_under_load_no_kill_loses_a_message(tmp_path: Path) -> None:
    """Every alert that was accepted is told, whichever moment the kills hit."""

    async def main() -> None:
        async with RecordingServer() as server:
            server.replies.extend([Reply(delay=0.2), Reply(), Reply(503)] * ALERTS)
            engine = TellingEngine(tmp_path, server.url)
            names = [f"Alert{number:03d}" for number in range(ALERTS)]
            per_life = ALERTS // KILLS
            try:
                for life in range(KILLS):
                    await asyncio.to_thread(engine.start)
                    for name in names[life * per_life : (life + 1) * per_life]:
                        await push(engine, name)
                    engine.kill()
                await asyncio.to_thread(engine.start)
                await asyncio.to_thread(wait_until, lambda: len(told(server)) >= ALERTS, "every alert", 60.0)
                await asyncio.to_thread(engine.stop)
            finally:
                engine.kill()
            assert set(told(server)) == {(name, "firing") for name in names}

    asyncio.run(main())
