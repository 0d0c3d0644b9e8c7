"""One question to the kernel over netlink, and all of its answer: the dumps of rtnetlink(7) and sock_diag(7).

A socket for each protocol is kept open: to open one costs more than most answers. Format: netlink(7),
linux/netlink.h. No capability is needed; a sandbox may refuse the address family (systemd's
`RestrictAddressFamilies=`, a seccomp filter), and gVisor lacks most of it.
"""

import errno
import os
import socket
import threading
from collections.abc import Callable
from struct import Struct

TIMEOUT_SECONDS = 2
"""For which the kernel may keep silent; it answers at once, or waits for the lock of whoever changes the network."""

LARGEST = 64 << 20
"""Bytes of one answer that are taken at most: half a million sockets, ten times as many neighbours as a node has."""

ATTEMPTS = 4
"""How often a dump is asked for while something changes what it tells of (NLM_F_DUMP_INTR). The last one is taken as
it is: it may lack an entry or have one twice, which is better than to lack all of them.
"""

_BUFFER = 1 << 16  # the kernel sends at most 32 KiB at a time

_HEADER = Struct("=IHHII")  # length, type, flags, sequence number, port
_NUMBER = Struct("=i")

_NLMSG_ERROR, _NLMSG_DONE, _NLMSG_OVERRUN = 2, 3, 4
_NLMSG_MIN_TYPE = 0x10  # types below are netlink's own
_NLM_F_REQUEST, _NLM_F_DUMP_INTR, _NLM_F_DUMP = 0x1, 0x10, 0x300


def dump(protocol: int, kind: int, body: bytes) -> list[bytes]:
    """The bodies of all messages of a dump of `kind`, such as RTM_GETLINK of NETLINK_ROUTE; `body` is the question.

    Safe to call from many threads. Raises OSError: what the kernel says, TimeoutError after TIMEOUT_SECONDS of
    silence, or of waiting for another thread's answer, EMSGSIZE for an answer beyond LARGEST, EPROTO for one that is
    no netlink.
    """
    with _lock:
        channel = _channels.get(protocol)
        if channel is None:
            channel = _channels[protocol] = Channel(protocol)
    return channel.dump(kind, body)


class Channel:
    """A socket of one protocol, opened when it is first needed and anew after an error."""

    def __init__(
        self, protocol: int, opened: Callable[[int], socket.socket] | None = None, patience: float = TIMEOUT_SECONDS
    ) -> None:
        self._protocol = protocol
        self._patience = patience
        self._opened = opened if opened is not None else _opened
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._sequence = 0
        self._buffer = bytearray(_BUFFER)

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """As the function of this name."""
        # to send may block for as long as a driver holds the lock of the network; the next to ask must not hang as well
        if not self._lock.acquire(timeout=self._patience):
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        try:
            return self._consistent(kind, body)
        except OSError as error:
            self.close()
            if isinstance(error, BlockingIOError):
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Give the descriptor back; the next question opens the socket again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __del__(self) -> None:
        self.close()

    def _consistent(self, kind: int, body: bytes) -> list[bytes]:
        for _ in range(ATTEMPTS):
            answer = self._ask(kind, body)
            if not answer.interrupted:
                break
        return answer.bodies

    def _ask(self, kind: int, body: bytes) -> "Answer":
        if self._socket is None:
            self._socket = self._opened(self._protocol)
        self._sequence = self._sequence % 0xFFFFFFFF + 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, _NLM_F_REQUEST | _NLM_F_DUMP, self._sequence, 0)
        self._socket.send(header + body)
        answer, view, size = Answer(self._sequence), memoryview(self._buffer), 0
        while not answer.done:
            length = self._socket.recv_into(view, 0, socket.MSG_TRUNC)  # the true length, also of what was cut off
            size += length
            if length > _BUFFER or size > LARGEST:
                raise OSError(errno.EMSGSIZE, f"a netlink answer of more than {min(length, LARGEST)} bytes")
            answer.take(bytes(view[:length]))
        return answer


class Answer:
    """The messages of a dump so far; decides without a socket what each of them means."""

    __slots__ = ("bodies", "done", "interrupted", "sequence")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.bodies: list[bytes] = []
        self.done = False
        self.interrupted = False

    def take(self, data: bytes) -> None:
        """Take what one receive gave: some messages one after the other. Raises OSError."""
        at, end = 0, len(data)
        if not end:
            raise OSError(errno.EPROTO, "an empty netlink message")
        while at < end:
            if end - at < _HEADER.size:
                raise OSError(errno.EPROTO, "a netlink message without a whole header")
            length, kind, flags, sequence, _ = _HEADER.unpack_from(data, at)
            if not _HEADER.size <= length <= end - at:
                raise OSError(errno.EPROTO, f"a netlink message of {length} bytes in {end - at}")
            if sequence == self.sequence:  # another one belongs to a question that was given up
                if flags & _NLM_F_DUMP_INTR:
                    self.interrupted = True
                if kind >= _NLMSG_MIN_TYPE:
                    self.bodies.append(data[at + _HEADER.size : at + length])
                else:
                    self._control(kind, data[at + _HEADER.size : at + length])
            at += (length + 3) & ~3

    def _control(self, kind: int, body: bytes) -> None:
        if kind == _NLMSG_OVERRUN:
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        if kind in (_NLMSG_DONE, _NLMSG_ERROR):
            code = -_NUMBER.unpack_from(body)[0] if len(body) >= _NUMBER.size else 0
            if code:
                raise OSError(code, os.strerror(code))
            self.done = True


def _opened(protocol: int) -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    try:
        opened.connect((0, 0))  # takes messages of the kernel, and of no other process
        # the kernel's time-out: one system call a receive, where Python's own takes two
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, Struct("@ll").pack(TIMEOUT_SECONDS, 0))
    except OSError:
        opened.close()
        raise
    return opened


_lock = threading.Lock()
_channels: dict[int, Channel] = {}
