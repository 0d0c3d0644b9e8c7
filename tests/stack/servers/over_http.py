"""Servers that speak HTTP: their URL, and one call for tests. No retries, no proxies, no cleverness."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from fenghuo.errors import RemoteAnswer, RemoteRefused
from tests.stack.servers.base import Server

_OPENER = build_opener(ProxyHandler({}))  # loopback is never reached through the environment's proxy


class HttpServer(Server):
    """A server at `url`; it is ready when `ready_path` answers 200."""

    ready_path: ClassVar[str]

    @property
    def url(self) -> str:
        """http://HOST:PORT, without a slash at the end."""
        return f"http://{self.address}"

    def answers(self) -> bool:
        try:
            self.call("GET", self.ready_path, timeout=2.0)
        except (RemoteAnswer, RemoteRefused):
            return False
        return True

    def call(
        self,
        method: str,
        path: str,
        body: bytes | str | Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout: float = 30.0,
    ) -> Any:
        """Send, and return the answer: JSON decoded, anything else as text. A mapping is sent as JSON.

        Raises RemoteAnswer for a status beyond 2xx, RemoteRefused without an answer.
        """
        url = self.url + path
        request = Request(url, _encoded(body), {"Content-Type": content_type}, method=method)
        try:
            with _OPENER.open(request, timeout=timeout) as response:
                text = response.read().decode()
                return json.loads(text) if "json" in response.headers.get("Content-Type", "") and text else text
        except HTTPError as error:
            with error:
                raise RemoteAnswer(url, error.code, error.read().decode("utf-8", "replace")) from error
        except (OSError, HTTPException) as error:
            raise RemoteRefused(url, f"{type(error).__name__}: {error}") from error


def _encoded(body: bytes | str | Mapping[str, Any] | None) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
