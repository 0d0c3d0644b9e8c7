"""A small HTTP server for scrapers: GET and HEAD, keep-alive, bounded in every direction.

The standard library's http.server brings the mail parser with it and knows no limits; a node agent needs
neither. One thread a connection, at most `Limits.connections` of them; a request's head has a size and a time to
arrive in; bodies are refused.
"""

import os
import select
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from exporters.log import Log
from fenghuo.addresses import parse_address
from fenghuo.clock import SystemClock
from fenghuo.errors import StartError

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request without a body. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """What to send; `Content-Length` is added."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. A scraper may come once in a few minutes and keep its connection: `idle`
    is its time between two requests. `transfer` is the time of a first word, a whole head, or an answer.
    """

    connections: int = 40
    head: int = 16 << 10
    idle: float = 300.0
    transfer: float = 10.0


class _Refused(Exception):
    """A request that is answered with this status, after which the connection is closed."""

    def __init__(self, status: int, text: str) -> None:
        self.response = Response(f"{text}\n".encode(), status=status)
        super().__init__(text)


class Server:
    """Listens from `start` on, serves in `run`, ends when `stop` is called from a signal or another thread."""

    def __init__(self, address: str, handler: Handler, log: Log, limits: Limits | None = None) -> None:
        self._address = address
        self._handler = handler
        self._log = log
        self._limits = limits if limits is not None else Limits()
        self._monotonic = SystemClock().monotonic
        self._slots = threading.BoundedSemaphore(self._limits.connections)
        self._wake_reader, self._wake_writer = os.pipe()
        self._listener: socket.socket | None = None

    def start(self) -> tuple[str, int]:
        """Listen, and return host and port (port 0 takes a free one). Raises StartError."""
        host, port = parse_address(self._address)
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._listener = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            raise StartError(
                f"can't listen on {self._address}: {_reason(error)}", "choose another --web.listen-address"
            ) from error
        bound = self._listener.getsockname()
        return str(bound[0]), int(bound[1])

    def run(self) -> None:
        """Serve until stopped; requests under way are not waited for, a scraper tries again."""
        listener = self._listener
        if listener is None:
            raise StartError("the server was not started")
        poller = select.poll()
        poller.register(listener, select.POLLIN)
        poller.register(self._wake_reader, select.POLLIN)
        with listener:
            while not any(descriptor == self._wake_reader for descriptor, _ in poller.poll()):
                self._accept(listener)

    def stop(self) -> None:
        """End `run`; safe in a signal handler."""
        os.write(self._wake_writer, b"x")

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError as error:  # the client has gone again, or this process has no descriptors left
            self._log.warning("could not accept a connection", reason=error.strerror)
            select.select([self._wake_reader], [], [], 0.1)  # what it lacks is not there again at once
            return
        if not self._slots.acquire(blocking=False):
            _turn_away(connection)
            return
        try:
            threading.Thread(target=self._serve, args=(connection,), name="http", daemon=True).start()
        except RuntimeError as error:  # this machine has no thread to spare
            self._slots.release()
            self._log.warning("could not serve a connection", reason=str(error))
            _turn_away(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    self._converse(connection)
                except _Refused as refused:
                    connection.settimeout(self._limits.transfer)
                    connection.sendall(_encoded(refused.response, close=True))
                    self._linger(connection)
        except OSError:
            pass  # the client is gone or too slow; there is nobody to tell
        finally:
            self._slots.release()

    def _converse(self, connection: socket.socket) -> None:
        """Answer one request after the other until either side wants to close. Raises _Refused."""
        rest = b""
        close = False
        patience = self._limits.transfer  # who has not said a word yet is no scraper between two requests
        while not close:
            head, rest = self._read_head(connection, rest, patience)
            patience = self._limits.idle
            if not head:
                return
            request, close = parse_head(head)
            answer = _encoded(self._handle(request), close=close, bodiless=request.method == "HEAD")
            connection.settimeout(self._limits.transfer)
            connection.sendall(answer)

    def _handle(self, request: Request) -> Response:
        try:
            return self._handler(request)
        except Exception as error:  # noqa: BLE001 - a server goes on after a request that failed
            self._log.error("request failed", path=request.path, reason=f"{type(error).__name__}: {error}")
            return Response(b"internal error, see the log\n", status=500)

    def _read_head(self, connection: socket.socket, rest: bytes, patience: float) -> tuple[bytes, bytes]:
        """Bytes up to the empty line, and what came after it; empty when the client closes."""
        data = rest
        deadline = self._monotonic() + (self._limits.transfer if data else patience)
        while b"\r\n\r\n" not in data:
            if len(data) > self._limits.head:
                raise _Refused(431, f"expected a request head of at most {self._limits.head} bytes")
            piece = self._receive(connection, self._limits.head, deadline)
            if not piece:
                return b"", b""
            if not data:
                deadline = self._monotonic() + self._limits.transfer
            data += piece
        head, _, after = data.partition(b"\r\n\r\n")
        return head, after

    def _receive(self, connection: socket.socket, size: int, deadline: float) -> bytes:
        """At most `size` bytes. Raises TimeoutError once `deadline` is over, also for a client that drips."""
        left = deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        return connection.recv(size)

    def _linger(self, connection: socket.socket) -> None:
        """Read on for a moment: closing with bytes unread would reset the connection, and our answer with it."""
        connection.shutdown(socket.SHUT_WR)
        left, deadline = 1 << 20, self._monotonic() + min(1.0, self._limits.transfer)
        while left > 0 and (piece := self._receive(connection, left, deadline)):
            left -= len(piece)


def parse_head(head: bytes) -> tuple[Request, bool]:
    """A request's head as (request, whether to close after the answer). Raises _Refused."""
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = first.split(" ")
    except ValueError:
        raise _Refused(400, "expected `METHOD target HTTP/1.1`") from None
    if not version.startswith("HTTP/1."):
        raise _Refused(400, "expected HTTP/1.0 or HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _Refused(400, "expected header lines `Name: value`")
        headers[name.lower()] = value.strip()
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise _Refused(413, "expected a request without a body")
    if method not in ("GET", "HEAD"):
        raise _Refused(405, "expected GET or HEAD")
    path, _, query = target.partition("?")
    try:
        arguments = parse_qs(query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise _Refused(400, "expected at most 200 query parameters") from None
    wish = headers.get("connection", "").lower()
    close = wish == "close" or (version == "HTTP/1.0" and wish != "keep-alive")
    return Request(method, unquote(path), arguments, headers), close


def _encoded(response: Response, *, close: bool, bodiless: bool = False) -> bytes:
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "X-Content-Type-Options": "nosniff",
        "Connection": "close" if close else "keep-alive",
        **response.headers,
    }
    lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if bodiless else head + response.body


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _turn_away(connection: socket.socket) -> None:
    try:
        with connection:
            connection.settimeout(1.0)
            connection.sendall(_encoded(Response(b"too many connections\n", status=503), close=True))
    except OSError:
        pass  # it was a courtesy
