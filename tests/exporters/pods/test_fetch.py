"""One request over a connection that the other side does with as it likes."""

import socket
import threading
from collections.abc import Callable

import pytest

from exporters.pods.fetch import Failure, Limits, fetch

LIMITS = Limits(seconds=5.0, size=1000)


def asked(answer: bytes, limits: Limits = LIMITS) -> bytes | Failure:
    """What comes of these bytes, after which the other side closes."""
    return talked(lambda other: other.sendall(answer), limits)


def talked(speak: Callable[[socket.socket], None], limits: Limits) -> bytes | Failure:
    here, there = socket.socketpair()

    def other() -> None:
        with there:
            assert there.recv(1000) == b"GET /pods HTTP/1.0\r\nHost: crio\r\n\r\n"
            speak(there)

    thread = threading.Thread(target=other)
    thread.start()
    result = fetch(lambda _: here, "/pods", {"Host": "crio"}, limits)
    thread.join(5)
    assert here.fileno() == -1, "the connection is left open"
    return result


def test_the_body_is_all_after_the_head() -> None:
    """Until the connection ends."""
    assert asked(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhe\r\n\r\nllo") == b"he\r\n\r\nllo"
    assert asked(b"HTTP/1.1 200\r\n\r\n") == b""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.0 404 Not Found\r\n\r\nno such container", Failure("status 404", 404)),
        (b"HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\n\r\n", Failure("status 301", 301)),
        (b"HTTP/1.0 200 OK\r\nContent-", Failure("the answer is not HTTP")),
        (b"HTTP/1.0 ok\r\n\r\n", Failure("the answer is not HTTP")),
        (b"\x15\x03\x01\x00\x02\x02\x16", Failure("the answer is not HTTP")),
        (b"", Failure("the answer is not HTTP")),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1000, Failure("the answer has more than 1000 bytes")),
    ],
)
def test_anything_else_is_a_failure(answer: bytes, expected: Failure) -> None:
    """With the status, if there is one, and never with what an answer says at length."""
    assert asked(answer) == expected


def test_an_answer_has_to_come_in_time() -> None:
    """As a whole: a byte now and then does not buy time."""
    done = threading.Event()

    def speak(there: socket.socket) -> None:
        with there:
            while not done.wait(0.02):
                try:
                    there.sendall(b"x")
                except OSError:
                    return

    assert talked(speak, Limits(0.1, 1000)) == Failure("no answer within 0.1 s")
    done.set()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError(), "no answer within 5 s"),
        (OSError("AF_UNIX path too long"), "AF_UNIX path too long"),
        (UnicodeError("label too long"), "label too long"),
    ],
)
def test_a_connection_that_is_not_made(error: Exception, expected: str) -> None:
    """The reason in the words of the system."""

    def connect(_: float) -> socket.socket:
        raise error

    assert fetch(connect, "/", {}, LIMITS) == Failure(expected)
