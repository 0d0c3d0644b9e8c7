"""A small HTTP server for scrapers: GET and HEAD, keep-alive, bounded in every direction.

The standard library's http.server brings the mail parser with it and knows no limits; a node agent needs
neither. One thread a connection, at most `Limits.connections` of them; a request's head has a size and a time to
arrive in; bodies are refused.
"""

import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exporters.log import Log
from exporters.messages import Handler, Refused, Request, Response, encoded, parse_head
from fenghuo.clock import SystemClock

Secure = Callable[[socket.socket], socket.socket]
"""Makes of an accepted connection the one that is spoken over. It has the connection's time-out, is called in the
connection's own thread, and raises OSError or Refused.
"""

QUIET = 60.0
"""Seconds between two lines of the log on connections that could not be served."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. A scraper may come once in a few minutes and keep its connection: `idle`
    is its time between two requests. `transfer` is the time of a first word, a whole head, or an answer.
    """

    connections: int = 128
    head: int = 16 << 10
    idle: float = 300.0
    transfer: float = 10.0


def plain(connection: socket.socket) -> socket.socket:
    """A connection that is spoken over as it is."""
    return connection


class Server:
    """Serves what comes in at `listeners` in `run`, and ends when `stop` is called from a signal or another thread.

    The listeners do not block, and are closed at the end of `run`.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        handler: Handler,
        log: Log,
        limits: Limits | None = None,
        secure: Secure = plain,
    ) -> None:
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._handler = handler
        self._log = log
        self._limits = limits if limits is not None else Limits()
        self._secure = secure
        self._monotonic = SystemClock().monotonic
        self._quiet_until = self._monotonic()
        self._slots = threading.BoundedSemaphore(self._limits.connections)
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)

    @property
    def alarm(self) -> int:
        """A descriptor that ends `run` when anything is written to it: for `signal.set_wakeup_fd`.

        A signal may reach any thread; its handler runs in the main thread, which sleeps in `run` until something
        wakes it.
        """
        return self._wake_writer

    def run(self) -> None:
        """Serve until stopped; requests under way are not waited for, a scraper tries again."""
        poller = select.poll()
        for descriptor in (*self._listeners, self._wake_reader):
            poller.register(descriptor, select.POLLIN)
        try:
            while self._wake_reader not in (ready := [descriptor for descriptor, _ in poller.poll()]):
                for descriptor in ready:
                    self._accept(self._listeners[descriptor])
        finally:
            for listener in self._listeners.values():
                listener.close()

    def stop(self) -> None:
        """End `run`; safe in a signal handler, and again."""
        with contextlib.suppress(BlockingIOError):  # so many were never read: it is awake
            os.write(self._wake_writer, b"x")

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return  # whoever knocked has gone again
        except OSError as error:  # this process has no descriptors left, for one
            self._complain("could not accept a connection", error.strerror)
            select.select([self._wake_reader], [], [], 0.1)  # what it lacks is not there again at once
            return
        if not self._slots.acquire(blocking=False):
            _turn_away(connection)
            return
        try:
            threading.Thread(target=self._serve, args=(connection,), name="http", daemon=True).start()
        except RuntimeError as error:  # this machine has no thread to spare
            self._slots.release()
            self._complain("could not serve a connection", str(error))
            _turn_away(connection)

    def _complain(self, event: str, reason: str | None) -> None:
        """Log what this machine is short of, once a minute: it may last, and strangers may bring it about."""
        if self._monotonic() >= self._quiet_until:
            self._quiet_until = self._monotonic() + QUIET
            self._log.warning(event, reason=reason)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(self._limits.transfer)
                if connection.family != socket.AF_UNIX:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._speak(connection)
        except OSError:
            pass  # the client is gone, too slow, or not let in; there is nobody to tell
        finally:
            self._slots.release()

    def _speak(self, connection: socket.socket) -> None:
        try:
            channel = self._secure(connection)
        except Refused as refused:
            self._refuse(connection, refused)
            return
        with channel:
            try:
                self._converse(channel)
            except Refused as refused:
                self._refuse(channel, refused)

    def _converse(self, connection: socket.socket) -> None:
        """Answer one request after the other until either side wants to close. Raises Refused."""
        rest = b""
        close = False
        patience = self._limits.transfer  # who has not said a word yet is no scraper between two requests
        while not close:
            head, rest = self._read_head(connection, rest, patience)
            if not head:
                return
            request, close = parse_head(head)
            response = self._handle(request)
            # who was not let in may not take a scraper's place for long
            patience = self._limits.idle if response.status < 400 else self._limits.transfer
            answer = encoded(response, close=close, bodiless=request.method == "HEAD")
            connection.settimeout(self._limits.transfer)
            connection.sendall(answer)

    def _handle(self, request: Request) -> Response:
        try:
            return self._handler(request)
        except Exception as error:  # noqa: BLE001 - a server goes on after a request that failed
            self._log.error("request failed", path=request.path, reason=f"{type(error).__name__}: {error}")
            return Response(b"internal error, see the log\n", status=500)

    def _refuse(self, connection: socket.socket, refused: Refused) -> None:
        connection.settimeout(self._limits.transfer)
        connection.sendall(encoded(refused.response, close=True))
        self._linger(connection)

    def _read_head(self, connection: socket.socket, rest: bytes, patience: float) -> tuple[bytes, bytes]:
        """Bytes up to the empty line, and what came after it; empty when the client closes."""
        data = rest
        deadline = self._monotonic() + (self._limits.transfer if data else patience)
        while b"\r\n\r\n" not in data:
            if len(data) > self._limits.head:
                raise Refused(431, f"expected a request head of at most {self._limits.head} bytes")
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


def _turn_away(connection: socket.socket) -> None:
    try:
        with connection:
            connection.settimeout(1.0)
            connection.sendall(encoded(Response(b"too many connections\n", status=503), close=True))
    except OSError:
        pass  # it was a courtesy
