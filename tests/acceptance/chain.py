"""The whole engine as `alerting.app` wires it, on a real database, between a Prometheus and a webhook of paper.

    chain = Chain(folder, rules)
    chain.burns("web-1", start=20, end=120)
    chain.kill(at=45)
    assert chain.messages(until=300) == [...]

Times are seconds of a clock that moves only here.
"""

import asyncio
import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import yaml
from prometheus_client import CollectorRegistry

from alerting.app import Outside, Parts, Reloader, build
from alerting.config import Flags, load_setup
from fenghuo.clock import from_rfc3339
from fenghuo.errors import ConfigError, RemoteRefused
from fenghuo.httpcall import Answer, Request
from fenghuo.lifecycle import Lifecycle
from fenghuo.testing import FakeCaller, ManualClock, answer, settle

EPOCH = 1_700_000_000.0

CONFIG: dict[str, Any] = {
    "sources": [{"name": "p", "type": "prometheus", "url": "http://prometheus"}],
    "rule_files": ["rules.yml"],
    "external_url": "http://engine",
    "route": {"receiver": "hook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"},
    "receivers": [{"name": "hook", "webhook_configs": [{"url": "http://hook/"}]}],
}


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """One alert of one message that the webhook got; times are the chain's seconds."""

    status: str
    instance: str
    starts: float
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class Fire:
    """Something burns from `start` to `end`."""

    instance: str
    start: float
    end: float


class Chain:
    """A story and what came of it."""

    def __init__(self, folder: Path, rules: str) -> None:
        self._folder = folder
        (folder / "rules.yml").write_text(rules)
        (folder / "config.yml").write_text(yaml.safe_dump(CONFIG))
        self._clock = ManualClock(EPOCH)
        self._fires: list[Fire] = []
        self._away: list[tuple[float, float]] = []
        self._kills: list[tuple[float, bool]] = []
        self._reloads: list[tuple[float, dict[str, str]]] = []
        self.refusals: list[str] = []
        self._hook = FakeCaller(lambda _: answer())
        self._parts: Parts | None = None

    @property
    def second(self) -> float:
        """Where the clock stands."""
        return self._clock.now() - EPOCH

    def burns(self, instance: str, start: float, end: float = 1e9) -> None:
        """The condition holds for this instance from `start` until before `end`."""
        self._fires.append(Fire(instance, start, end))

    def source_away(self, start: float, end: float) -> None:
        """No connection to Prometheus in between."""
        self._away.append((start, end))

    def kill(self, at: float, midway: bool = False) -> None:
        """Everything dies where it stands, and starts again from its folder.

        With `midway` it dies in the middle of what the second set off: asked and not stored, stored and not told.
        """
        self._kills.append((at, midway))

    def reload(self, at: float, rules: str = "", config: str = "") -> None:
        """The files change and are loaded; a refusal is kept in `refusals`."""
        self._reloads.append((at, {"rules.yml": rules, "config.yml": config}))

    def messages(self, until: float) -> list[Message]:
        """Let it happen; what the webhook got, in order, and what was told twice only once."""
        asyncio.run(self._run(until))
        told = [message for request in self._hook.requests for message in _messages(request)]
        return list(dict.fromkeys(told))

    async def _run(self, until: float) -> None:
        kills = sorted(self._kills)
        await self._live()
        while self.second < until:
            await self._clock.advance(1.0)
            while self._reloads and self._reloads[0][0] <= self.second:
                await self._reload(self._reloads.pop(0)[1])
            while kills and kills[0][0] <= self.second:
                at, midway = kills.pop(0)
                await (settle(int(at * 7) % 23) if midway else self._quiet())
                await self._die()
                await self._live()
            await self._quiet()
        await self._die()

    async def _live(self) -> None:
        outside = Outside(self._clock, FakeCaller(self._prometheus), self._hook, StringIO())
        flags = Flags(self._folder / "config.yml")
        setup, registry = load_setup(flags), CollectorRegistry()
        self._life = Lifecycle("chain")
        self._parts = await build(self._life, setup, outside, registry)
        self._reloader = Reloader(flags, setup, self._parts, outside, registry)

    async def _reload(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            if text:
                (self._folder / name).write_text(text)
        try:
            await self._reloader.reload()
        except ConfigError as error:
            self.refusals.append(str(error))

    async def _die(self) -> None:
        """Every task ends where it stands; only what the database has committed is left."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._life.close()

    async def _quiet(self) -> None:
        """Until nothing happens any more: tasks run until they wait, and the database has done what it was asked."""
        assert self._parts is not None
        for _ in range(4):
            await settle()
            await self._parts.database.run(lambda connection: connection)

    def _prometheus(self, request: Request) -> Answer:
        second = float(parse_qs((request.body or b"").decode())["time"][0]) - EPOCH
        if any(start <= second < end for start, end in self._away):
            raise RemoteRefused("http://prometheus", "connection refused")
        series = [
            {"metric": {"instance": fire.instance}, "value": [second, "1"]}
            for fire in self._fires
            if fire.start <= second < fire.end
        ]
        return answer(body={"status": "success", "data": {"resultType": "vector", "result": series}})


def _messages(request: Request) -> list[Message]:
    return [
        Message(
            alert["status"],
            alert["labels"]["instance"],
            from_rfc3339(alert["startsAt"]) - EPOCH,
            from_rfc3339(alert["endsAt"]) - EPOCH if alert["status"] == "resolved" else None,
        )
        for alert in json.loads(request.body or b"")["alerts"]
    ]
