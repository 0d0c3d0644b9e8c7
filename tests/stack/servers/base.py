"""A handle on one real server process: start, wait until it answers, stop, kill, start again on the same folder.

Linux only. A subclass says how the server is prepared, what its command line is and how it answers; what a
process is and how it ends is written here once.
"""

import os
import random
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from fenghuo.errors import StartError
from tests.stack.servers.programs import find_program
from tests.stack.servers.waiting import wait_until

HOST = "127.0.0.1"

# PR_SET_PDEATHSIG fires when the *thread* that forked the child ends, so a server started from a short-lived
# thread would die with it. All children are therefore forked by this one thread, which lives as long as we do.
_SPAWNER = ThreadPoolExecutor(1, thread_name_prefix="server-spawner")

_GIVEN: set[int] = set()  # ports whose server may not listen yet


class Server(ABC):
    """One server, its folder and its ports. They stay the same over every stop, kill and start.

    `start` may be called again after `stop` or `kill`: it finds its data where it left them.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    patience: ClassVar[float] = 60.0
    """Seconds to wait until it answers; generous, because a test machine may be busy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._is_prepared = False

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The running process. Raises StartError when it does not run."""
        if self._process is None:
            raise StartError(f"{self.name} does not run", "start it first")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process lives, whether it answers or not."""
        return self._process is not None and self._process.poll() is None

    @abstractmethod
    def prepare(self) -> None:
        """What is needed once before the first start: files, a download, a format. Raises StartError."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The command line. Raises StartError when the program is missing."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves. Called over and over while it starts; must neither block for long nor raise."""

    def as_user(self) -> Sequence[str]:
        """Options of setpriv that drop to another user, for servers that refuse root."""
        return ()

    def start(self) -> None:
        """Start it and wait until it answers; nothing when it runs.

        Raises StartError with the log's end when it does not come up; nothing of it is left running then.
        """
        if self.is_running:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._is_prepared:
            self.prepare()
            self._is_prepared = True
        self._process = _SPAWNER.submit(self._spawn).result()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise

    def wait_ready(self) -> None:
        """Return as soon as it answers. Raises StartError when it dies or takes longer than `patience`."""
        try:
            wait_until(self._answers_or_ended, "an answer", within=self.patience, every=0.05)
        except TimeoutError as error:
            raise StartError(f"{self.name} did not answer within {self.patience:g} s", self.diagnosis()) from error

    def stop(self, within: float = 10.0) -> None:
        """Ask it to end and wait; nothing when it does not run.

        Raises StartError when it takes longer than `within` seconds; it is killed then.
        """
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self.stop_signal)
        in_time = _ended(process, within)
        _kill_group(process)
        if not in_time:
            raise StartError(f"{self.name} did not stop within {within:g} s and was killed", self.diagnosis())

    def kill(self) -> None:
        """SIGKILL, as in a crash: no time for a last word. Nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            _kill_group(process)

    def diagnosis(self) -> str:
        """Where the log is, and its end."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n  ".join([f"see {self.log}", *lines[-20:]])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers_or_ended(self) -> bool:
        if not self.is_running:
            status = None if self._process is None else self._process.returncode
            raise StartError(f"{self.name} ended with status {status}", self.diagnosis())
        return self.answers()

    def _spawn(self) -> subprocess.Popen[bytes]:
        # setpriv becomes the server, so the process id is the server's own, and when this process dies without
        # a chance to tidy up (kill -9, a crash of the interpreter) the kernel ends the server. It asks for that
        # signal after the change of user, which would clear it; runuser would stay as a parent in between.
        guard = [find_program("setpriv"), *self.as_user(), "--pdeathsig", "KILL", "--"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                list(map(str, [*guard, *self.command()])),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is for us, who then stop the servers in order
            )


def free_port() -> int:
    """A free port below those that the kernel gives to outgoing connections.

    While a server is down, a client that keeps connecting could otherwise be given the server's own port as
    its local one, and the server could not start again.
    """
    while True:
        port = random.randint(15_000, 32_000)
        if port in _GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        _GIVEN.add(port)
        return port


def accepts(port: int) -> bool:
    """Whether something listens on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _ended(process: subprocess.Popen[bytes], within: float) -> bool:
    """Wait up to `within` seconds for the process's end."""
    try:
        process.wait(timeout=within)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of a server's session, and wait until nothing of it runs."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # all of it has ended
    process.wait()
    wait_until(lambda: not group_members(process.pid), "the end of a killed server", every=0.02)


def group_members(group: int) -> list[int]:
    """The living processes of a process group; one that waits to be reaped is not alive."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
        except OSError:
            continue  # gone between the listing and the reading
        if int(of_group) == group and state not in "ZX":
            members.append(int(stat.parent.name))
    return members
