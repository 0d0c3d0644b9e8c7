"""What the web page reads: the messages that the console has shown."""

from pathlib import Path

import pytest

from alerting.notify.ports import KeptMessage
from tests.alerting.api.application import START, Api, play
from tests.alerting.notify.builders import firing, notification, resolved


async def keep(api: Api, count: int) -> None:
    told = notification(firing("A", "It burns"), resolved("B"))
    for serial in range(1, count + 1):
        await api.messages.keep(KeptMessage(START, "console", "firing", f"title {serial}", "text", told, serial))


def test_a_message_is_shown_with_its_alerts(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await keep(api, 1)
        assert (await api.get("/api/fenghuo/v1/messages")).json() == {
            "messages": [
                {
                    "id": 1,
                    "sentAt": "2023-11-14T22:13:20.000Z",
                    "receiver": "console",
                    "status": "firing",
                    "title": "title 1",
                    "text": "text",
                    "alerts": [
                        {
                            "labels": {"alertname": "A"},
                            "annotations": {"summary": "It burns"},
                            "status": "firing",
                            "startsAt": "2023-11-14T22:13:20.000Z",
                            "endsAt": "0001-01-01T00:00:00Z",
                            "fingerprint": firing("A").fingerprint,
                        },
                        {
                            "labels": {"alertname": "B"},
                            "annotations": {},
                            "status": "resolved",
                            "startsAt": "2023-11-14T22:13:20.000Z",
                            "endsAt": "2023-11-14T22:14:20.000Z",
                            "fingerprint": resolved("B").fingerprint,
                        },
                    ],
                }
            ]
        }

    play(tmp_path, story)


@pytest.mark.parametrize(("query", "ids"), [("", [3, 2, 1]), ("?limit=2", [3, 2])])
def test_the_newest_come_first_and_no_more_than_asked_for(tmp_path: Path, query: str, ids: list[int]) -> None:
    async def story(api: Api) -> None:
        await keep(api, 3)
        messages = (await api.get(f"/api/fenghuo/v1/messages{query}")).json()["messages"]
        assert [message["id"] for message in messages] == ids

    play(tmp_path, story)


@pytest.mark.parametrize("limit", ["000000001" + "0" * 5000, "0", "-1", "many", "1001", "99999999999999999999"])
def test_a_limit_that_makes_no_sense_is_refused(tmp_path: Path, limit: str) -> None:
    async def story(api: Api) -> None:
        answer = await api.get(f"/api/fenghuo/v1/messages?limit={limit}")
        assert answer.status == 400
        assert "from 1 to 1000" in answer.json()

    play(tmp_path, story)
