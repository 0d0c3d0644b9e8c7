"""Fakes of the local stack's edges: processes that end when told, and a terminal that is read back."""

import asyncio
from collections.abc import Sequence

from fenghuo.errors import StartError
from fenghuo.up.parts import Change
from fenghuo.up.prometheus import Ran


class FakeProcess:
    """A child without a process. A `stubborn` one passes over SIGTERM."""

    def __init__(self, pid: int, stubborn: bool = False) -> None:
        self.pid = pid
        self.signals: list[str] = []
        self._stubborn = stubborn
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    def exit(self, code: int) -> None:
        """It ends by itself; negative is a signal."""
        if not self._code.done():
            self._code.set_result(code)

    def terminate(self) -> None:
        self.signals.append("SIGTERM")
        if not self._stubborn:
            self.exit(-15)

    def kill(self) -> None:
        self.signals.append("SIGKILL")
        self.exit(-9)


class FakeSpawner:
    """Hands out FakeProcesses and keeps them in `started`, with the names in `names`."""

    def __init__(self, stubborn: frozenset[str] = frozenset(), refuses: bool = False) -> None:
        self.started: list[FakeProcess] = []
        self.names: list[str] = []
        self.printed: dict[str, list[str]] = {}
        self._stubborn = stubborn
        self._refuses = refuses

    async def spawn(self, name: str, command: Sequence[str]) -> FakeProcess:
        if self._refuses:
            raise StartError(f"can't start {name}: out of processes", "end some")
        process = FakeProcess(1000 + len(self.started), name in self._stubborn)
        self.started.append(process)
        self.names.append(name)
        return process

    def last_lines(self, name: str, count: int) -> list[str]:
        return self.printed.get(name, [])[-count:]


class Changes:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.all: list[Change] = []

    def __call__(self, change: Change) -> None:
        self.all.append(change)

    def texts(self) -> list[str]:
        return [f"{change.title} {change.text}" for change in self.all]


class FakeMachine:
    """A machine's programs: which there are, and what each command answers. `ran` keeps what was run."""

    def __init__(self, programs: dict[str, str], answers: dict[str, Ran] | None = None) -> None:
        self.programs = programs
        self.ran: list[str] = []
        self._answers = answers or {}

    def which(self, name: str) -> str | None:
        return self.programs.get(name)

    async def run(self, command: Sequence[str], timeout: float) -> Ran:
        text = " ".join(command)
        self.ran.append(text)
        if "install" in command and self._answers.get(text, Ran(0, "")).code == 0:
            self.programs["prometheus"] = "/usr/bin/prometheus"
        return self._answers.get(text, Ran(0, ""))
