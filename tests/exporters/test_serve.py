"""The server as a client on the network meets it: answers, limits, and an end at once."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from exporters.listen import listen
from exporters.messages import Handler, Request, Response
from exporters.serve import Limits, Server
from exporters.testing import RecordingLog


def refusing(request: Request) -> Response:
    """Lets nobody in."""
    return Response(b"no\n", status=401)


def echo(request: Request) -> Response:
    if request.path == "/fail":
        raise ValueError("on purpose")
    return Response(f"{request.method} {request.path} {dict(request.query)}".encode())


@contextmanager
def serving(limits: Limits | None = None, log: RecordingLog | None = None, handler: Handler = echo) -> Iterator[int]:
    listeners = listen(["127.0.0.1:0"])
    port = listeners[0].getsockname()[1]
    server = Server(listeners, handler, log if log is not None else RecordingLog(), limits)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield port
    finally:
        server.stop()
        thread.join(5)
        assert not thread.is_alive()


def raw(port: int, data: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


def test_a_connection_serves_many_requests() -> None:
    """Keep-alive: a scraper connects once."""
    with serving() as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        for path in ("/metrics?collect[]=cpu&collect[]=stat", "/a%20b"):
            client.request("GET", path)
            answer = client.getresponse()
            assert answer.status == 200
            assert answer.read() in (b"GET /metrics {'collect[]': ['cpu', 'stat']}", b"GET /a b {}")
        client.close()


def test_head_has_no_body() -> None:
    """HEAD tells the length of what GET would send."""
    with serving() as port:
        head, _, body = raw(port, b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n").partition(b"\r\n\r\n")
        assert b"Content-Length: 9" in head
        assert body == b""


def test_requests_in_one_packet_are_answered_in_order() -> None:
    """Pipelined requests are not lost."""
    with serving() as port:
        answer = raw(port, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert answer.count(b"HTTP/1.1 200 OK") == 2
        assert answer.index(b"GET /1") < answer.index(b"GET /2")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded: header\r\n\r\n", 400),
        (b"GET /?" + b"a=1&" * 500 + b" HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000, 431),
    ],
)
def test_what_a_scraper_never_sends_is_refused(data: bytes, status: int) -> None:
    """The answer says what was expected, and the connection is closed."""
    with serving() as port:
        answer = raw(port, data)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"expected" in answer


def test_a_request_that_fails_is_answered_and_logged() -> None:
    """500 to the client, the reason to the log, and the next request is served."""
    log = RecordingLog()
    with serving(log=log) as port:
        assert raw(port, b"GET /fail HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 500 ")
        assert raw(port, b"GET /ok HTTP/1.0\r\n\r\n").endswith(b"GET /ok {}")
    assert 'reason="ValueError: on purpose"' in log.lines[0]


def test_more_connections_than_allowed_are_turned_away() -> None:
    """The limit answers 503 at once; a place that becomes free is given to the next."""
    with serving(Limits(connections=1)) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as first:
        first.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert first.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert raw(port, b"").startswith(b"HTTP/1.1 503 ")
        first.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert first.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert first.recv(65536) == b""


def test_a_client_that_sends_slowly_is_dropped() -> None:
    """A head that does not arrive in time ends the connection without an answer."""
    with serving(Limits(transfer=0.05)) as port:
        assert raw(port, b"GET / HT") == b""


def sends_drop_by_drop(port: int, first: bytes) -> bytes:
    """Send `first`, then a byte at each twentieth of a second for two seconds at most; what the server answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.05) as connection:
        connection.sendall(first)
        answered = b""
        for _ in range(40):
            try:
                piece = connection.recv(4096)
                if not piece:
                    return answered
                answered += piece
            except TimeoutError:
                pass
            except ConnectionError:
                return answered
            try:
                connection.send(b"x")
            except ConnectionError:
                return answered
        raise AssertionError("the server is still listening to it")


def test_a_head_that_comes_drop_by_drop_is_dropped() -> None:
    """The time is for the whole head: a byte now and then does not hold a connection for hours."""
    with serving(Limits(transfer=0.3)) as port:
        assert sends_drop_by_drop(port, b"GET / HTTP/1.1\r\n") == b""


def test_a_body_that_comes_drop_by_drop_is_dropped() -> None:
    """What was refused is read on for a moment, and not for as long as it drips."""
    with serving(Limits(transfer=0.3)) as port:
        assert sends_drop_by_drop(port, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_a_client_that_says_nothing_at_first_is_dropped_soon() -> None:
    """Only who has asked before may stay silent for long: silent strangers must not take every place."""
    with serving(Limits(transfer=0.1, idle=60)) as port:
        assert raw(port, b"") == b""


def test_a_client_that_was_not_let_in_is_dropped_soon() -> None:
    """The long silence between two scrapes is for those whose scrape was answered."""
    with serving(Limits(transfer=0.1, idle=60), handler=refusing) as port:
        assert raw(port, b"GET /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 401")


def test_a_machine_without_threads_to_spare_costs_a_connection_only() -> None:
    """And however many come meanwhile, the log says so once a minute."""
    log = RecordingLog()
    with serving(log=log) as port:
        usual = threading.stack_size(1 << 47)  # more than there is: no thread can start
        try:
            for _ in range(3):
                assert raw(port, b"").startswith(b"HTTP/1.1 503")
        finally:
            threading.stack_size(usual)
        assert [line.partition(" component")[0] for line in log.lines] == [
            'level=warning event="could not serve a connection"'
        ]
        assert raw(port, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
