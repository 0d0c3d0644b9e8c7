"""Servers that speak HTTP: their URL, and one call for tests. No retries, no proxies, no cleverness."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.error import HTTPError
from urllib.parse import urlencode
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
                is_json = response.headers.get_content_type() == "application/json"
                return json.loads(text) if is_json and text else text
        except HTTPError as error:
            with error:
                raise RemoteAnswer(url, error.code, error.read().decode("utf-8", "replace")) from error
        except (OSError, HTTPException) as error:
            raise RemoteRefused(url, f"{type(error).__name__}: {error}") from error


class ConfiguredServer(HttpServer):
    """A server with one configuration file that it reads again at `POST /-/reload`."""

    default_config: ClassVar[str]

    @property
    def config_file(self) -> Path:
        """Where its configuration stands."""
        return self.folder / f"{self.name}.yml"

    def prepare(self) -> None:
        if not self.config_file.exists():
            self.config_file.write_text(self.default_config, encoding="utf-8")

    def start(self, config: str | None = None) -> None:
        """Start it, with a configuration of one's own where one is given; when it runs it takes that on."""
        if config is not None:
            self.write_config(config)
        super().start()

    def write_config(self, config: str) -> None:
        """Replace the configuration; a running server reloads. Raises RemoteAnswer when it refuses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(config, encoding="utf-8")
        if self.is_running:
            self.call("POST", "/-/reload")


class PromqlServer(HttpServer):
    """A server that answers PromQL under /api/v1."""

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The samples of an instant vector: `{"metric": {…}, "value": [seconds, "text"]}`, now or `at` Unix seconds."""
        asked = {"query": expression} | ({} if at is None else {"time": str(at)})
        return cast("list[dict[str, Any]]", self.call("GET", f"/api/v1/query?{urlencode(asked)}")["data"]["result"])


def _encoded(body: bytes | str | Mapping[str, Any] | None) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
