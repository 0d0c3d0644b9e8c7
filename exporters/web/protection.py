"""The web configuration as it is now: read at the start, and again whenever one of its files has changed.

What depends on it asks at each connection and each request, so that renewed certificates and changed users count at
once. A change that can't be used is logged once and changes nothing; so are those that would open what was closed,
TLS and each way of authentication: half-written files look like that, and an operator who means it restarts.
"""

import math
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from exporters.log import Log
from exporters.messages import Handler, Request, Response
from exporters.web.settings import Mark, Rate, Reading, WebConfig, mark
from exporters.web.tls import Unfit, greet, server_context
from fenghuo.clock import SystemClock
from fenghuo.errors import FenghuoError, StartError
from fenghuo.secrets import Secret

AGAIN = 30.0
"""Seconds after which a file that could not be used is tried again though it looks the same."""

Admits = Callable[[Mapping[str, Secret], str], bool]
"""Whether one of the users sent this `Authorization` header."""

UNAUTHORIZED = Response(b"Unauthorized\n", status=401, headers={"WWW-Authenticate": "Basic"})
TOO_MANY = Response(b"Too Many Requests\n", status=429)


class Bucket:
    """Lets through as many requests as a rate allows; thread-safe."""

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._left = float(rate.burst)
        self._then = now
        self._lock = threading.Lock()

    def take(self, now: float) -> bool:
        """Whether there is one left at `now`, seconds that never go back; takes it."""
        with self._lock:
            grown = self._left + (now - self._then) / self.rate.interval
            self._left, self._then = min(float(self.rate.burst), grown), now
            if self._left < 1:
                return False
            self._left -= 1
            return True


@dataclass(frozen=True, slots=True)
class State:
    """A configuration and what was made of it."""

    config: WebConfig
    context: ssl.SSLContext | None
    bucket: Bucket | None


class Protection:
    """What stands between the network and the pages.

    Raises ConfigError when the file can't be used at the start, and StartError when a library is missing.
    """

    def __init__(self, path: str, log: Log) -> None:
        self._path = Path(path)
        self._log = log
        self._monotonic = SystemClock().monotonic
        self._lock = threading.Lock()
        self._admits: Admits | None = None
        self._marks: Mapping[Path, Mark] = {}
        self._failure = ""
        self._again = math.inf
        self._state = self._read()

    @property
    def config(self) -> WebConfig:
        """What the file says now, or said when it last could be used."""
        return self._current().config

    def secure(self, connection: socket.socket) -> socket.socket:
        """The connection as it is spoken over: with TLS where the file says so. Raises OSError or Refused."""
        state = self._current()
        if state.context is None or state.config.tls is None:
            return connection
        try:
            return greet(connection, state.context, state.config.tls.client_names)
        except OSError as error:
            self._log.debug("a client was not let in", reason=str(error))
            raise

    def guard(self, handler: Handler) -> Handler:
        """The handler behind the rate of requests and authentication, with the file's headers on each answer."""

        def guarded(request: Request) -> Response:
            state = self._current()
            response = self._turned_away(state, request) or handler(request)
            return replace(response, headers={**response.headers, **state.config.headers})

        return guarded

    def say_notes(self) -> None:
        """Log what the file's writer should know."""
        for note in self._state.config.notes:
            self._log.warning("web configuration", path=str(self._path), note=note)

    def _turned_away(self, state: State, request: Request) -> Response | None:
        if state.bucket is not None and not state.bucket.take(self._monotonic()):
            return TOO_MANY
        users = state.config.users
        if users and not (self._admits and self._admits(users, request.headers.get("authorization", ""))):
            return UNAUTHORIZED
        return None

    def _current(self) -> State:
        with self._lock:
            if self._monotonic() > self._again or any(mark(path) != seen for path, seen in self._marks.items()):
                self._reread()
            return self._state

    def _reread(self) -> None:
        before = self._state
        try:
            state = self._read(before)
        except FenghuoError as error:
            self._again = self._monotonic() + AGAIN
            if str(error) != self._failure:
                self._failure = str(error)
                self._log.error("the changed web configuration is not used", reason=self._failure)
            return
        self._state, self._failure, self._again = state, "", math.inf
        self._log.info("the web configuration was read again", path=str(self._path))
        if state.config.notes != before.config.notes:
            self.say_notes()

    def _read(self, before: State | None = None) -> State:
        """The file as it is now; `before` is what it may not open again. Raises ConfigError or StartError."""
        reading = Reading(self._path)
        try:
            config = reading.config()
        finally:
            self._marks = reading.marks
        context = self._context(reading, config)
        if before is not None:
            _stays_closed(reading, before.config, config)
        if config.users and self._admits is None:
            self._admits = _basic_auth()
        return State(config, context, self._bucket(config.rate, before))

    def _context(self, reading: Reading, config: WebConfig) -> ssl.SSLContext | None:
        try:
            return None if config.tls is None else server_context(config.tls)
        except Unfit as unfit:
            inline = ("tls_server_config", unfit.key) in reading.findings.lines
            key = unfit.key if inline else f"{unfit.key}_file"
            reading.findings.add(("tls_server_config", key), unfit.expected)
            raise reading.error() from unfit

    def _bucket(self, rate: Rate | None, before: State | None) -> Bucket | None:
        """A full bucket, or the one in use if its rate has not changed."""
        if rate is None:
            return None
        kept = None if before is None else before.bucket
        return kept if kept is not None and kept.rate == rate else Bucket(rate, self._monotonic())


def _stays_closed(reading: Reading, before: WebConfig, now: WebConfig) -> None:
    if (before.tls is None) != (now.tls is None):
        reading.findings.add(("tls_server_config",), "expected TLS to stay on or off until a restart")
    for barrier in sorted(before.barriers - now.barriers):
        reading.findings.add((), f"expected {barrier} to stay until a restart")
    reading.check()


def _basic_auth() -> Admits:
    try:
        from exporters.web.users import BasicAuth  # where there are no users, there need be no bcrypt
    except ModuleNotFoundError as error:
        raise StartError(f"basic_auth_users needs the package {error.name!r}", "pip install 'fenghuo[web]'") from error
    return BasicAuth().admits
