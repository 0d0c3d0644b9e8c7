"""Several servers at once: started in parallel in one throw-away folder, stopped in reverse, the folder removed."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from fenghuo.errors import StartError
from tests.stack.servers.base import Server
from tests.stack.servers.catalog import SERVERS


class Fleet:
    """The servers of one run. `begin` returns at once, `get` waits for one of them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fenghuo-stack-"))
        if os.geteuid() == 0:
            self.folder.chmod(0o711)  # PostgreSQL runs as another user and must get to its folder
        self._pool = ThreadPoolExecutor(len(SERVERS), thread_name_prefix="start-server")
        self._started: dict[str, Future[Server]] = {}

    def begin(self, names: Iterable[str]) -> None:
        """Start the named servers that have not been begun yet, each in a thread of its own."""
        for name in names:
            if name not in self._started:
                self._started[name] = self._pool.submit(_start, SERVERS[name](self.folder / name))

    def get(self, name: str) -> Server:
        """The server, as soon as it answers. Raises StartError when it could not be started."""
        self.begin([name])
        return self._started[name].result()

    def stop(self, keep_folder: bool = False) -> list[StartError]:
        """Stop all, the last begun first, and remove the folder. Returns what went wrong on the way."""
        self._pool.shutdown(cancel_futures=True)
        failures = []
        for future in reversed(self._started.values()):
            if future.cancelled() or future.exception() is not None:
                continue
            try:
                future.result().stop()
            except StartError as failure:
                failures.append(failure)
        if not keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        return failures


def _start(server: Server) -> Server:
    server.start()
    return server
