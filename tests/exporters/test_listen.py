"""Where the exporter listens: the forms of an address, several of them, and sockets that systemd opened."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from exporters.listen import inherited, is_beyond_loopback, listen, preferred, shown
from fenghuo.errors import StartError


@pytest.fixture
def keep() -> Iterator[ExitStack]:
    """Closes at the end what a test opened."""
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    ("address", "beyond"),
    [
        ("127.0.0.1:0", False),
        ("localhost:0", False),
        ("[127.0.0.1]:0", False),
        ("[::1]:0", False),
        (":0", True),
        ("[::]:0", True),
        ("0.0.0.0:0", True),
        ("[0.0.0.0]:0", True),
    ],
)
def test_addresses_are_understood_as_node_exporter_does(keep: ExitStack, address: str, beyond: bool) -> None:
    """`:9100` is all interfaces; an IPv4 address in brackets is what charts make of a node's address."""
    (listener,) = listen([address])
    keep.enter_context(listener)
    assert is_beyond_loopback(listener) is beyond
    port = listener.getsockname()[1]
    with socket.create_connection(("::1" if address == "[::1]:0" else "127.0.0.1", port), timeout=5):
        pass
    assert shown(listener).endswith(f":{port}")


def test_all_interfaces_are_those_of_both_protocols(keep: ExitStack) -> None:
    """One socket for IPv4 and IPv6."""
    (listener,) = listen([":0"])
    keep.enter_context(listener)
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, listener.getsockname()[1]), timeout=5):
            pass


def test_a_name_of_both_protocols_stands_for_the_older() -> None:
    """Where /etc/hosts has localhost twice, as Debian writes it, the resolver puts `::1` first."""
    found = socket.getaddrinfo("::1", 9100, type=socket.SOCK_STREAM)
    assert preferred(found)[0] == socket.AF_INET6
    assert preferred([*found, *socket.getaddrinfo("127.0.0.1", 9100, type=socket.SOCK_STREAM)])[0] == socket.AF_INET


def test_several_addresses_are_all_or_none(keep: ExitStack) -> None:
    """A port that is taken is one line of cause and remedy, and what was opened before it is closed again."""
    listeners = listen(["127.0.0.1:0", "[::1]:0"])
    for listener in listeners:
        keep.enter_context(listener)
    taken = shown(listeners[0])
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        free = f"127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(StartError, match=f"can't listen on {taken}: Address already in use; choose another"):
        listen([free, taken])
    keep.enter_context(listen([free])[0])


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("9100", "is no HOST:PORT"),
        (":port", "is no HOST:PORT"),
        (":²", "is no HOST:PORT"),
        (f"{'a' * 64}:9100", "label too long"),
        ("vsock://:9100", "can't listen on vsock://:9100: "),
        ("no.such.host.invalid:9100", "can't listen on no.such.host.invalid:9100: "),
        ("192.0.2.1:9100", "Cannot assign requested address"),
    ],
)
def test_an_address_that_can_not_be_used_is_named(address: str, reason: str) -> None:
    with pytest.raises(StartError) as caught:
        listen([address])
    assert reason in str(caught.value)
    assert "Unknown error" not in str(caught.value)


def handed_over(keep: ExitStack, *sockets: socket.socket) -> int:
    """Copies of the sockets at descriptors side by side, as systemd leaves them; the first of them."""
    first = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - len(sockets)  # what is open elsewhere begins at 0
    for offset, one in enumerate(sockets):
        os.dup2(one.fileno(), first + offset)
        keep.callback(close, first + offset)
    return first


def close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise


def environment(count: int, pid: int | None = None) -> dict[str, str]:
    return {"LISTEN_PID": str(os.getpid() if pid is None else pid), "LISTEN_FDS": str(count), "HOME": "/"}


def test_sockets_of_systemd_are_taken_over(keep: ExitStack) -> None:
    """Of both protocols and of the file system; a child process must not take them for its own."""
    opened = [keep.enter_context(listener) for listener in listen(["127.0.0.1:0", "[::1]:0"])]
    first = handed_over(keep, *opened)
    told = environment(2)
    taken = [keep.enter_context(listener) for listener in inherited(told, os.getpid(), first)]
    assert [shown(listener) for listener in taken] == [shown(listener) for listener in opened]
    assert told == {"HOME": "/"}
    assert not any(os.get_inheritable(listener.fileno()) for listener in taken)


def test_no_socket_of_systemd_is_told_with_the_remedy(keep: ExitStack) -> None:
    """Also sockets that were meant for another process, and descriptors that are something else."""
    connection = keep.enter_context(socket.socket())
    first = handed_over(keep, connection)
    for told, reason in [
        ({}, "systemd handed over no socket"),
        (environment(1, pid=1), "systemd handed over no socket"),
        (environment(0), "systemd handed over no socket"),
        (environment(1), f"descriptor {first} of systemd is no listening socket"),
    ]:
        with pytest.raises(StartError, match=reason):
            inherited(told, os.getpid(), first)
    reader, writer = os.pipe()
    keep.callback(os.close, writer)
    keep.callback(os.close, reader)
    with pytest.raises(StartError, match=f"descriptor {reader} of systemd is no socket"):
        inherited(environment(1), os.getpid(), reader)
