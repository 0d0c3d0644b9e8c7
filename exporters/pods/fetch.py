"""One question to a server on this machine by HTTP/1.0 (RFC 1945): the answer ends with the connection.

Small on purpose: Python's own client loads TLS and e-mail with it, and knows no time limit for a whole answer.
"""

import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fenghuo.clock import SystemClock

Connect = Callable[[float], socket.socket]
"""Makes a connection within so many seconds. Raises OSError."""

_CHUNK = 1 << 16
_LONGEST_STATUS = 200
_A_MOMENT = 0.001


class Limits(NamedTuple):
    """What one answer may take in all."""

    seconds: float
    size: int
    """Bytes."""


class Failure(NamedTuple):
    """Why there is no answer, in words; the status is the server's, or 0 when it gave none."""

    reason: str
    status: int = 0


def fetch(connect: Connect, path: str, headers: Mapping[str, str], limits: Limits) -> bytes | Failure:
    """The body of the answer to GET `path`; a Failure when there is none, or its status is not 200. Never raises."""
    monotonic = SystemClock().monotonic
    end = monotonic() + limits.seconds
    lines = [f"GET {path} HTTP/1.0", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    answer = bytearray()
    try:
        with connect(limits.seconds) as connection:
            connection.settimeout(max(_A_MOMENT, end - monotonic()))
            connection.sendall("\r\n".join(lines).encode())
            while piece := connection.recv(_CHUNK):
                answer += piece
                if len(answer) > limits.size:
                    return Failure(f"the answer has more than {limits.size} bytes")
                connection.settimeout(max(_A_MOMENT, end - monotonic()))
    except TimeoutError:
        return Failure(f"no answer within {limits.seconds:g} s")
    except (OSError, ValueError) as error:  # ValueError: a name that can't be a host's
        return Failure(getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error))
    return _body(answer)


def _body(answer: bytearray) -> bytes | Failure:
    head = bytes(answer[:_LONGEST_STATUS]).partition(b"\r\n")[0]
    version, _, status = head.decode("latin-1").partition(" ")
    code, end = status[:3], answer.find(b"\r\n\r\n")
    if end < 0 or not version.startswith("HTTP/") or not (code.isascii() and code.isdigit()):
        return Failure("the answer is not HTTP")
    return bytes(memoryview(answer)[end + 4 :]) if code == "200" else Failure(f"status {code}", int(code))
