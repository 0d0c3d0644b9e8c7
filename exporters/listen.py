"""The sockets that the exporter listens on: its own, or those that systemd opened for it (sd_listen_fds(3))."""

import os
import socket
from collections.abc import MutableMapping, Sequence
from typing import Any

from fenghuo.addresses import is_loopback, parse_address
from fenghuo.errors import StartError

_FIRST_INHERITED = 3
"""systemd hands over its sockets from this descriptor on."""

_BACKLOG = 128


def listen(addresses: Sequence[str]) -> list[socket.socket]:
    """A listening socket for each address; port 0 takes a free one, `:9100` and `[::]:9100` are all interfaces.

    Raises StartError.
    """
    listeners: list[socket.socket] = []
    try:
        for address in addresses:
            listeners.append(_listener(address))  # noqa: PERF401 - what was opened is closed when one fails
    except StartError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def inherited(
    environment: MutableMapping[str, str], own_pid: int, first: int = _FIRST_INHERITED
) -> list[socket.socket]:
    """The sockets that systemd hands to this process, each taken once. Raises StartError when there is none."""
    remedy = "start it by the .socket unit that belongs to it, or leave --web.systemd-socket out"
    told_pid, told_count = (environment.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS"))
    if told_pid != str(own_pid) or not told_count.isdecimal() or int(told_count) == 0:
        raise StartError("systemd handed over no socket", remedy)
    return [_taken_over(descriptor, remedy) for descriptor in range(first, first + int(told_count))]


def _taken_over(descriptor: int, remedy: str) -> socket.socket:
    try:
        os.set_inheritable(descriptor, False)
        listener = socket.socket(fileno=descriptor)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise StartError(f"descriptor {descriptor} of systemd is no socket: {error.strerror}", remedy) from error
    if not listening:
        listener.close()
        raise StartError(f"descriptor {descriptor} of systemd is no listening socket", remedy)
    listener.setblocking(False)
    return listener


def shown(listener: socket.socket) -> str:
    """Where it listens, as it stands in a URL: `127.0.0.1:9100`, `[::]:9100`, or a path."""
    bound = listener.getsockname()
    if not isinstance(bound, tuple):
        return str(bound)
    return f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"


def is_beyond_loopback(listener: socket.socket) -> bool:
    """Whether others than this machine may reach it."""
    bound = listener.getsockname()
    return isinstance(bound, tuple) and not is_loopback(str(bound[0]))


def preferred(found: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Of what `getaddrinfo` found for a name the first of IPv4, as node_exporter does: scrapers of localhost
    look there.
    """
    return min(found, key=lambda one: one[0] != socket.AF_INET)


def _listener(address: str) -> socket.socket:
    host, port = parse_address(f"[::]{address}" if address.startswith(":") else address)
    try:
        if host != "::":
            family, *_, bound = preferred(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            listener = socket.create_server(bound, family=family, backlog=_BACKLOG)
        elif socket.has_dualstack_ipv6():
            listener = socket.create_server((host, port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True)
        else:
            listener = socket.create_server(("", port), backlog=_BACKLOG)
    except UnicodeError as error:
        raise StartError(f"can't listen on {address}: {error}", "choose another --web.listen-address") from error
    except OSError as error:
        known = error.errno is not None and error.errno > 0  # a name that can't be resolved has a number of its own
        reason = os.strerror(error.errno or 0) if known else error.strerror
        raise StartError(f"can't listen on {address}: {reason}", "choose another --web.listen-address") from error
    listener.setblocking(False)
    return listener
