"""Fakes that the kit ships for its users' tests, tested themselves.

`ManualClock` moves only when told; `FakeCaller` answers from a script without a network; `RecordingServer`
is a real HTTP server on loopback that keeps what it was sent.
"""

import asyncio
import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from fenghuo.httpcall import Answer, Request


class ManualClock:
    """A clock for tests. `advance` wakes sleepers in the order of their times and lets each run."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._began = now
        self._monotonic = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def now(self) -> float:
        # one sum, not a running one: rounding must not add up
        return self._began + self._monotonic

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.Event()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), wake))
        await wake.wait()

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, waking whoever sleeps until then, each at its own time."""
        await settle()
        end = self._monotonic + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, wake = heapq.heappop(self._sleepers)
            self._monotonic = due
            wake.set()
            await settle()
        self._monotonic = end
        await settle()

    def step(self, seconds: float) -> None:
        """The wall clock is set forward (or back) without any time passing."""
        self._began += seconds


async def settle(rounds: int = 20) -> None:
    """Give every ready task the chance to run until it waits."""
    for _ in range(rounds):
        await asyncio.sleep(0)


@dataclass
class FakeCaller:
    """An HttpCaller from a script: a function of the request, or a list of answers and errors in order.

    What was asked is kept in `requests`.
    """

    respond: Callable[[Request], Answer] | None = None
    script: deque[Answer | Exception] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)

    async def call(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.script:
            scripted = self.script.popleft()
            if isinstance(scripted, Exception):
                raise scripted
            return scripted
        if self.respond is None:
            raise AssertionError(f"nothing scripted for {request.method} {request.url}")
        return self.respond(request)

    async def close(self) -> None:
        """Nothing to close; there so that it stands in for the real one."""


def answer(status: int = 200, body: bytes | str | object = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """An Answer for a script; anything but bytes and text is sent as JSON."""
    if isinstance(body, str):
        body = body.encode()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer("http://fake", status, headers or {}, content)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as a server saw it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a RecordingServer answers; `delay` seconds pass before it does."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


class RecordingServer:
    """A real HTTP server on a free loopback port: keeps every request, answers from a list, then 200.

    async with RecordingServer() as server:
        server.replies.append(Reply(503))
        ...
        first = await server.wait_for(1)
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.replies: deque[Reply] = deque()
        self.url = ""
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def wait_for(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        """All requests so far, as soon as there are `count`. Raises TimeoutError naming what came."""
        try:
            async with asyncio.timeout(timeout), self._arrived:
                await self._arrived.wait_for(lambda: len(self.requests) >= count)
        except TimeoutError as error:
            raise TimeoutError(f"expected {count} requests, got {len(self.requests)}: {self.requests}") from error
        return list(self.requests)

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        recorded = Recorded(request.method, request.path, dict(request.query), dict(request.headers), body)
        reply = self.replies.popleft() if self.replies else Reply()
        async with self._arrived:
            self.requests.append(recorded)
            self._arrived.notify_all()
        if reply.delay:
            await asyncio.sleep(reply.delay)
        return web.Response(status=reply.status, body=reply.body, headers=dict(reply.headers))
