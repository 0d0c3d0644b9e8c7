"""Listen addresses as text, without any server: shared by the aiohttp servers and by the light node agent."""

import ipaddress
import socket

from fenghuo.errors import StartError


def parse_address(text: str) -> tuple[str, int]:
    """`127.0.0.1:9093`, `[::1]:9093` or `:9093` (loopback) to (host, port).

    Raises StartError for anything else.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise StartError(f"the listen address {text!r} is no HOST:PORT", "write it as 127.0.0.1:9093")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free at this moment."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
