"""Which port each part listens on: the last one, else the usual one, else any that is free."""

import socket
from collections.abc import Callable, Mapping

from fenghuo.addresses import free_port
from fenghuo.errors import StartError

LOOPBACK = "127.0.0.1"

USUAL: dict[str, int] = {
    "page": 8600,
    "node": 9100,
    "cgroup": 9101,
    "logs": 9600,
    "prometheus": 9090,
    "alerting": 9093,
    "demo": 8601,
}
"""Part: the port that people expect it on. 9101 and up are near their neighbours and seldom taken."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether one could listen there now. A port in TIME_WAIT counts as free, as it does for servers."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(
    usual: Mapping[str, int],
    remembered: Mapping[str, int],
    free: Callable[[int], bool] = is_free,
    any_free: Callable[[], int] = free_port,
) -> dict[str, int]:
    """A port for each part, all different: the remembered if free, else the usual if free, else any."""
    chosen: dict[str, int] = {}
    for name, port in usual.items():
        wanted = [candidate for candidate in (remembered.get(name), port) if candidate]
        open_ones = [candidate for candidate in wanted if candidate not in chosen.values() and free(candidate)]
        chosen[name] = open_ones[0] if open_ones else _another(set(chosen.values()), any_free)
    return chosen


def _another(taken: set[int], any_free: Callable[[], int]) -> int:
    port = any_free()
    while port in taken:
        port = any_free()
    return port


def read_remembered(content: object) -> dict[str, int]:
    """What `ports.json` says; anything odd in it is left out."""
    if not isinstance(content, dict):
        return {}
    return {name: port for name, port in content.items() if name in USUAL and _is_port(port)}


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def require_free(host: str, port: int) -> None:
    """Raises StartError when the user asked for a port that is taken (0 means any) or for another's address."""
    if not is_free(port, host):
        remedy = "leave out --web.listen-address to have a free one chosen, or name another"
        raise StartError(f"the port {port} of {host} is taken or not this machine's", remedy)


def connectable(host: str) -> str:
    """The host to connect to for one that is listened on: who listens everywhere is reached on loopback."""
    host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    return f"[{host}]" if ":" in host else host
