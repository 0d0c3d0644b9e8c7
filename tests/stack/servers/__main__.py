"""`python -m tests.stack.servers kafka elasticsearch` keeps servers up for a developer, until Ctrl-C.

Without names it starts all. A new, empty folder each time; it is removed at the end.
"""

import signal
import sys
import threading
from collections.abc import Sequence

from fenghuo.errors import StartError
from tests.stack.servers.base import Server
from tests.stack.servers.catalog import SERVERS
from tests.stack.servers.fleet import Fleet
from tests.stack.servers.over_http import HttpServer
from tests.stack.servers.postgresql import Postgresql


def main(arguments: Sequence[str]) -> int:
    """Start, print the table, wait for SIGINT or SIGTERM, stop. Returns the exit status."""
    names = list(dict.fromkeys(arguments)) or list(SERVERS)
    if unknown := [name for name in names if name not in SERVERS]:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(SERVERS)}", file=sys.stderr)
        return 2
    ended = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: ended.set())
    fleet = Fleet()
    fleet.begin(names)
    status = _report(fleet, names)
    if status == 0:
        ended.wait()
    print("stopping", flush=True)
    for failure in fleet.stop(keep_folder=status != 0):
        print(failure, file=sys.stderr)
    return status


def address_of(server: Server) -> str:
    """What a client is given to reach it."""
    if isinstance(server, Postgresql):
        return server.dsn
    return server.url if isinstance(server, HttpServer) else server.address


def _report(fleet: Fleet, names: Sequence[str]) -> int:
    """Print the table, each line as soon as its server answers. Returns 1 when one did not start."""
    status = 0
    for name in names:
        try:
            server = fleet.get(name)
        except StartError as error:
            print(f"{name}: {error}", file=sys.stderr)
            status = 1
        else:
            print(f"{name:<16} {address_of(server):<50} pid {server.pid}", flush=True)
    print(f"folder           {fleet.folder}", flush=True)
    if status == 0:
        print("Ctrl-C stops them and removes the folder", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
