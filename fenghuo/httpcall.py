"""The seam to those whom we call: one method from a request to an answer, foreign errors translated.

Every call has a deadline and a bound on the answer's size. URLs in errors never hold credentials.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
from yarl import URL

from fenghuo.errors import RemoteAnswer, RemoteRefused, RemoteTimeout, RemoteTooLarge

LARGEST_ANSWER = 64 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. `timeout` is seconds for the whole call, `largest_answer` bytes.

    With `status_decides` only the beginning of the answer's body is of interest: one that is too long or breaks
    off is cut, because the other side has done what was asked.
    """

    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0
    largest_answer: int = LARGEST_ANSWER
    status_decides: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises RemoteAnswer when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise RemoteAnswer(self.url, self.status, f"no JSON: {self.text()}") from error

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def ok(self) -> Self:
        """Itself when the status is 2xx; raises RemoteAnswer otherwise."""
        if 200 <= self.status < 300:
            return self
        raise RemoteAnswer(self.url, self.status, self.text())


class HttpCaller(Protocol):
    """One outbound HTTP call. Safe to use from many tasks at once."""

    async def call(self, request: Request) -> Answer:
        """Send and wait for the whole answer, whatever its status.

        Raises RemoteTimeout, RemoteRefused or RemoteTooLarge.
        """
        ...


class AiohttpCaller:
    """The real one: an aiohttp session, opened at the first call. Close it at the end.

    `connections` bounds those to one server, so that a slow server holds up its own calls only.

    Redirects are not followed: a receiver that redirects is misconfigured, and following could carry a
    secret elsewhere.
    """

    def __init__(self, connections: int = 100) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def call(self, request: Request) -> Answer:
        session = self._open()
        shown = safe_url(request.url)
        timeout = aiohttp.ClientTimeout(total=request.timeout)
        try:
            async with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                read = _beginning if request.status_decides else _bounded
                body = await read(response, request.largest_answer, shown)
                return Answer(shown, response.status, response.headers, body)
        except TimeoutError as error:
            raise RemoteTimeout(shown, f"no answer within {request.timeout:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise RemoteRefused(shown, _cause(error)) from error

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=0, limit_per_host=self._connections)
            self._session = aiohttp.ClientSession(connector=connector, loop=asyncio.get_running_loop())
        return self._session


def _cause(error: Exception) -> str:
    """What went wrong in a person's words; aiohttp's own text repeats host, port and its TLS settings."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return (
            os.strerror(error.errno).lower() if error.errno and error.errno > 0 else f"no connection: {error.os_error}"
        )
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(
        error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError
    ):  # these two hold the whole URL, which may hold a secret
        return "no http address"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"no HTTP answer: {error.message.strip().partition(chr(10))[0]}"
    return str(error) or type(error).__name__


def safe_url(url: str) -> str:
    """The URL without user, password, query and fragment, fit for a log."""
    try:
        parsed = URL(url)
        return str(parsed.with_user(None).with_query(None).with_fragment(None)) if parsed.host else "<invalid url>"
    except ValueError:
        return "<invalid url>"


async def _bounded(response: aiohttp.ClientResponse, largest: int, shown: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(1 << 16):
        size += len(chunk)
        if size > largest:
            raise RemoteTooLarge(shown, f"the answer is longer than {largest} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


async def _beginning(response: aiohttp.ClientResponse, largest: int, _: str) -> bytes:
    body = b""
    with suppress(TimeoutError, aiohttp.ClientError):
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) >= largest:
                break
    return body[:largest]
