"""Ask file systems for their sizes without ever waiting long for one that hangs.

`statvfs` on a dead NFS server blocks its thread, uninterruptibly, until the server returns. So a worker
thread asks; when it makes no progress for `patience` seconds the mount it stands at is reported as hanging,
the worker is left to itself, and a new one goes on with the rest. A mount is not asked again while a worker
still stands at it: there are never more left-over threads than hanging mounts.
"""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

Answer = os.statvfs_result | OSError | TimeoutError
"""What came of asking: the sizes, the error, or that it hangs."""

HANGS = TimeoutError("mountpoint timeout")


@dataclass(slots=True)
class _Errand:
    """Paths to ask for, in order, and what has come of it so far."""

    paths: Sequence[str]
    answers: dict[str, Answer] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    abandoned: bool = False

    @property
    def stands_at(self) -> str:
        """The path whose answer is awaited."""
        return self.paths[min(len(self.answers), len(self.paths) - 1)]


class _Worker(threading.Thread):
    """Runs errands one after the other; ends after one that was given up."""

    def __init__(self, statvfs: Callable[[str], os.statvfs_result]) -> None:
        super().__init__(name="statvfs", daemon=True)
        self.errands: SimpleQueue[_Errand] = SimpleQueue()
        self._statvfs = statvfs

    def run(self) -> None:
        while not self._ask(self.errands.get()).abandoned:
            pass

    def _ask(self, errand: _Errand) -> _Errand:
        for path in errand.paths:
            try:
                answer: Answer = self._statvfs(path)
            except (OSError, ValueError) as error:  # ValueError: a null byte in a path
                answer = error if isinstance(error, OSError) else OSError(str(error))
            errand.answers[path] = answer
            if errand.abandoned:
                break
        errand.done.set()
        return errand


class MountProbe:
    """Asks for many mounts; `patience` is seconds for one mount, `deadline` for all that hang together."""

    def __init__(
        self, statvfs: Callable[[str], os.statvfs_result], patience: float = 2.0, deadline: float = 5.0
    ) -> None:
        self._statvfs = statvfs
        self._patience = patience
        self._tries = max(1, int(deadline / patience))
        self._worker: _Worker | None = None
        self._hanging: dict[str, _Worker] = {}

    def ask(self, paths: Sequence[str]) -> dict[str, Answer]:
        """The answer for each path; `HANGS` for one that does not answer in time."""
        self._hanging = {path: worker for path, worker in self._hanging.items() if worker.is_alive()}
        answers: dict[str, Answer] = dict.fromkeys(paths, HANGS)
        waiting = [path for path in dict.fromkeys(paths) if path not in self._hanging]
        for _ in range(self._tries):
            if not waiting:
                break
            errand = self._send(waiting)
            if not self._finished(errand):
                self._give_up(errand)
            answers.update(errand.answers)
            waiting = [path for path in waiting if answers[path] is HANGS and path not in self._hanging]
        return answers

    def _send(self, paths: Sequence[str]) -> _Errand:
        if self._worker is None:
            self._worker = _Worker(self._statvfs)
            self._worker.start()
        errand = _Errand(paths)
        self._worker.errands.put(errand)
        return errand

    def _give_up(self, errand: _Errand) -> None:
        """Leave the worker to itself; it ends when its call returns, also if it returned this very moment."""
        worker, self._worker = self._worker, None
        errand.abandoned = True
        if worker is not None:
            worker.errands.put(_Errand((), abandoned=True))
            if not errand.done.is_set():
                self._hanging[errand.stands_at] = worker

    def _finished(self, errand: _Errand) -> bool:
        """Wait as long as the worker gets on."""
        answered = -1
        while answered < len(errand.answers):
            answered = len(errand.answers)
            if errand.done.wait(self._patience):
                return True
        return False
