"""Questions to systemd over D-Bus, by the library jeepney, with a time limit on everything.

One connection is kept from scrape to scrape. Questions are sent many at a time, and their answers are taken as they
come. Protocol: the D-Bus specification; interface: org.freedesktop.systemd1(5).
"""

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator, Sequence

from jeepney import DBusAddress, HeaderFields, Message, MessageFlag, MessageType, Parser, new_method_call
from jeepney.bus import find_system_bus
from jeepney.io.blocking import prep_socket

from fenghuo.clock import SystemClock

Question = tuple[str, str, str, tuple[str, ...]]
"""Object path, interface, member, and arguments, all of them strings."""
Answer = tuple[object, ...] | OSError

SYSTEMD = "org.freedesktop.systemd1"
PRIVATE_SOCKET = "/run/systemd/private"
"""Where systemd answers root without a bus."""
HELLO: Question = ("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", ())

AT_ONCE = 64
"""Questions without an answer at a time; a bus allows a connection some hundreds at least."""
LONGEST = 16 << 20
"""Bytes of one message at most; a list of 5,000 units has 2 MiB. The protocol would allow 128 MiB."""

_ERRORS = {
    "org.freedesktop.DBus.Error.AccessDenied": errno.EACCES,
    "org.freedesktop.DBus.Error.ServiceUnknown": errno.ENOENT,
    "org.freedesktop.DBus.Error.NameHasNoOwner": errno.ENOENT,
    "org.freedesktop.DBus.Error.UnknownObject": errno.ENOENT,
    "org.freedesktop.DBus.Error.UnknownProperty": errno.ENOENT,
    "org.freedesktop.systemd1.NoSuchUnit": errno.ENOENT,
}


class Connection:
    """A connection to systemd: by the system's bus, or without one where that fails and this process is root.

    `private` leaves the bus out; `patience` is seconds for all questions that are asked together.
    """

    def __init__(self, private: bool = False, patience: float = 2.0, private_socket: str = PRIVATE_SOCKET) -> None:
        self._private = private
        self._private_socket = private_socket
        self._patience = patience
        self._clock = SystemClock().monotonic
        self._stream: _Stream | None = None

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """An answer for each question: its values, or the error that systemd or the bus returned for it; where only
        some come in time, a TimeoutError for each of the others.

        Raises OSError when there is no connection to be had, or when none is answered in time.
        """
        end = self._clock() + self._patience
        if self._stream is not None:
            try:
                return self._ask(self._stream, SYSTEMD, questions, end)
            except TimeoutError:
                raise
            except OSError:
                pass  # systemd or the bus was started anew since
        self._stream = self._connect(end)
        return self._ask(self._stream, SYSTEMD, questions, end)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _ask(self, stream: "_Stream", whom: str, questions: Sequence[Question], end: float) -> list[Answer]:
        answers: dict[int, Answer] = {}
        missing: Answer = ()
        try:
            answers.update(stream.ask(whom, questions, end))  # what came before an error stays
        except OSError as error:
            self._stream = None
            stream.close()
            if not answers or not isinstance(error, TimeoutError):
                raise
            missing = error
        return [answers.get(index, missing) for index in range(len(questions))]

    def _connect(self, end: float) -> "_Stream":
        if self._private:
            return self._open(self._private_socket, end)
        try:
            stream = self._open(_bus(), end)
            (hello,) = self._ask(stream, HELLO[1], [HELLO], end)
            if isinstance(hello, OSError):
                raise hello
            return stream
        except OSError as error:
            if os.geteuid() != 0:
                raise
            try:
                return self._open(self._private_socket, end)
            except OSError:
                raise error from None  # the bus is the usual way, so it is what the operator should hear of

    def _open(self, path: str, end: float) -> "_Stream":
        try:
            return _Stream(prep_socket(path, timeout=max(0.0, end - self._clock())), self._clock)
        except ValueError as error:  # jeepney's AuthenticationError is one
            raise OSError(errno.EACCES, f"{path}: {error}") from error
        except OSError as error:
            raise OSError(error.errno or errno.ETIMEDOUT, f"{path}: {error.strerror or error}") from error


class _Stream:
    """A socket on which D-Bus messages come and go; `clock` is seconds that never go back."""

    def __init__(self, connected: socket.socket, clock: Callable[[], float]) -> None:
        self._socket = connected
        self._clock = clock
        self._parser = Parser()
        self._unparsed = 0
        self._serial = 0

    def close(self) -> None:
        self._socket.close()

    def __del__(self) -> None:
        self.close()  # a collector that goes has no other way to give its connection back

    def ask(self, whom: str, questions: Sequence[Question], end: float) -> Iterator[tuple[int, Answer]]:
        """The place of each question and its answer, as they come, before the time is `end`. Raises OSError."""
        places: dict[int, int] = {}
        sent = 0
        while sent < len(questions) or places:
            batch = questions[sent : sent + AT_ONCE - len(places)]
            first = self._serial + 1
            self._send(whom, batch, end)
            places.update(zip(range(first, first + len(batch)), range(sent, sent + len(batch)), strict=True))
            sent += len(batch)
            for message in self._receive(end):
                serial = message.header.fields.get(HeaderFields.reply_serial)
                if isinstance(serial, int) and serial in places:  # it may also be a signal, or too late
                    yield places.pop(serial), _answer(message)

    def _send(self, whom: str, questions: Sequence[Question], end: float) -> None:
        if questions:
            self._socket.settimeout(self._left(end))
            self._socket.sendall(b"".join(self._serialised(whom, question) for question in questions))

    def _serialised(self, whom: str, question: Question) -> bytes:
        path, interface, member, arguments = question
        address = DBusAddress(path, bus_name=whom, interface=interface)
        message = new_method_call(address, member, "s" * len(arguments) or None, arguments)
        message.header.flags |= MessageFlag.no_auto_start
        self._serial += 1
        return bytes(message.serialise(self._serial))

    def _receive(self, end: float) -> Iterator[Message]:
        """The messages that the next bytes complete."""
        self._socket.settimeout(self._left(end))
        received = self._socket.recv(1 << 16)
        if not received:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        self._parser.add_data(received)
        self._unparsed += len(received)
        try:
            while (message := self._parser.get_next_message()) is not None:
                self._unparsed = 0
                yield message
        except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError, struct.error) as error:
            # jeepney has no error of its own for bytes that are no D-Bus
            raise OSError(errno.EPROTO, f"no D-Bus: {type(error).__name__} {error}") from error
        if self._unparsed > LONGEST:
            raise OSError(errno.EMSGSIZE, f"a message of more than {LONGEST} bytes")

    def _left(self, end: float) -> float:
        left = end - self._clock()
        if left <= 0:
            raise TimeoutError(errno.ETIMEDOUT, "systemd took too long to answer")
        return left


def _bus() -> str:
    """The address of the system's bus, from the environment or the usual one."""
    try:
        return str(find_system_bus())
    except (ValueError, RuntimeError, StopIteration) as error:
        raise OSError(errno.EINVAL, f"DBUS_SYSTEM_BUS_ADDRESS: {error}") from error


def _answer(message: Message) -> Answer:
    if message.header.message_type is MessageType.error:
        name = str(message.header.fields.get(HeaderFields.error_name, "an error without a name"))
        text = message.body[0] if message.body else ""
        return OSError(_ERRORS.get(name, errno.EPROTO), f"{name}: {text}")
    return tuple(message.body)
