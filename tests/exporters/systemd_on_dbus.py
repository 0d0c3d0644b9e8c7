"""A systemd that answers on D-Bus: FakeSystemd behind a socket of its own, or as a service on a real bus."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from jeepney import HeaderFields, Message, MessageType, Parser, message_bus, new_error, new_method_return
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from exporters.calls import Question
from exporters.testing import FakeSystemd

SYSTEMD = "org.freedesktop.systemd1"
SIGNATURES = {"ListUnits": "a(ssssssouso)", "Get": "v", "Hello": "s"}


def reply(message: Message, systemd: FakeSystemd) -> Message:
    """systemd's answer to one call."""
    fields = message.header.fields
    member = fields[HeaderFields.member]
    if member == "Hello":
        return new_method_return(message, "s", (":1.1",))
    question = Question(fields[HeaderFields.path], fields.get(HeaderFields.interface, ""), member, message.body)
    (answer,) = systemd.ask([question])
    if isinstance(answer, OSError):
        return new_error(message, "org.freedesktop.DBus.Error.UnknownProperty", "s", (str(answer.strerror),))
    return new_method_return(message, SIGNATURES[member], answer)


@contextlib.contextmanager
def on_socket(path: Path, systemd: FakeSystemd) -> Iterator[list[socket.socket]]:
    """Listen on a socket as systemd's private one does; the value grows by each connection that was made."""
    connections: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_accept, args=(listener, systemd, connections))
        thread.start()
        try:
            yield connections
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


def _accept(listener: socket.socket, systemd: FakeSystemd, connections: list[socket.socket]) -> None:
    """Serve one connection after the other until the listener is shut down."""
    with contextlib.suppress(OSError):
        while True:
            connections.append(listener.accept()[0])
            with contextlib.suppress(OSError):
                _serve(connections[-1], systemd)


def _serve(connection: socket.socket, systemd: FakeSystemd) -> None:
    lines = connection.makefile("rb", buffering=0)
    while b"BEGIN" not in lines.readline():
        connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
    parser, serial = Parser(), 0
    while received := connection.recv(4096):
        for message in parser.feed(received):
            serial += 1
            connection.sendall(reply(message, systemd).serialise(serial))


@contextlib.contextmanager
def on_bus(address: str, systemd: FakeSystemd) -> Iterator[None]:
    """Own systemd's name on a bus, and answer there, while this lasts."""
    connection = open_dbus_connection(address)
    thread = threading.Thread(target=_answer, args=(connection, systemd))
    try:
        connection.send_and_get_reply(message_bus.RequestName(SYSTEMD), timeout=10)
        thread.start()
        yield
    finally:
        connection.sock.shutdown(socket.SHUT_RDWR)
        thread.join()
        connection.close()


def _answer(connection: DBusConnection, systemd: FakeSystemd) -> None:
    with contextlib.suppress(OSError):
        while True:
            message = connection.receive()
            if message.header.message_type is MessageType.method_call:
                connection.send(reply(message, systemd))
