"""Do things one after the other without ever waiting long for one that hangs.

A call into the kernel can block its thread, uninterruptibly: `statvfs` on a dead NFS server, a sensor behind a slow
bus. So a worker thread does the asking; when it makes no progress for `patience` seconds, what it stands at is given
up, the worker is left to itself, and a new one goes on with the rest. Nothing is asked again while a worker still
stands at it: there are never more left-over threads than things that hang.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, NamedTuple, TypeVar

from fenghuo.clock import SystemClock

OVERTAKE = 0.1
"""Seconds after which those that wait are asked beside one that takes long."""

KeyT = TypeVar("KeyT", bound=Hashable)
AnswerT = TypeVar("AnswerT")


@dataclass(slots=True)
class _Errand(Generic[KeyT, AnswerT]):
    """What to ask for, in order, and what has come of it so far."""

    ask: Callable[[KeyT], AnswerT]
    keys: Sequence[KeyT]
    since: float = 0.0
    """When the key whose answer is awaited was asked, by a clock that never goes back."""
    answers: dict[KeyT, AnswerT] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    abandoned: bool = False

    @property
    def stands_at(self) -> KeyT:
        """The key whose answer is awaited."""
        return self.keys[min(len(self.answers), len(self.keys) - 1)]


class _Worker(threading.Thread, Generic[KeyT, AnswerT]):
    """Runs errands one after the other; ends after one that was given up. Between errands it holds on to nothing."""

    def __init__(self) -> None:
        super().__init__(name="patience", daemon=True)
        self.errands: SimpleQueue[_Errand[KeyT, AnswerT]] = SimpleQueue()
        self._monotonic = SystemClock().monotonic

    def run(self) -> None:
        while not self._do_next():
            pass

    def _do_next(self) -> bool:
        """Wait for an errand and run it; whether it was given up."""
        errand = self.errands.get()
        for key in errand.keys:
            errand.since = self._monotonic()
            errand.answers[key] = errand.ask(key)
            if errand.abandoned:
                break
        errand.done.set()
        return errand.abandoned


class _Late(NamedTuple, Generic[KeyT, AnswerT]):
    """A key that takes long, who stands at it, and until when it is waited for."""

    key: KeyT
    worker: _Worker[KeyT, AnswerT]
    errand: _Errand[KeyT, AnswerT]
    until: float


class Patience(Generic[KeyT, AnswerT]):
    """Asks for many keys; `patience` is seconds for one, `deadline` for all together. `ask` must not raise.

    With `beside`, keys that take longer than a moment don't hold up the others: so many of them at a time go on in
    threads of their own, and have all of their patience.
    """

    def __init__(self, ask: Callable[[KeyT], AnswerT], patience: float, deadline: float, *, beside: int = 0) -> None:
        self._ask = ask
        self._patience = patience
        self._deadline = deadline
        self._beside = beside
        self._overtake = min(OVERTAKE, patience) if beside else patience
        self._monotonic = SystemClock().monotonic
        self._worker: _Worker[KeyT, AnswerT] | None = None
        self._hanging: dict[KeyT, _Worker[KeyT, AnswerT]] = {}

    def __del__(self) -> None:
        if self._worker is not None:
            self._worker.errands.put(_Errand(self._ask, (), abandoned=True))  # nobody else can end it

    def ask(self, keys: Sequence[KeyT], deadline: float | None = None) -> dict[KeyT, AnswerT]:
        """The answer for each key that answered in time; `deadline` seconds stand for the usual ones.

        A key without an answer hangs, or was not asked because the deadline had passed.
        """
        end = self._monotonic() + (self._deadline if deadline is None else deadline)
        self._hanging = {key: worker for key, worker in self._hanging.items() if worker.is_alive()}
        answers: dict[KeyT, AnswerT] = {}
        late: list[_Late[KeyT, AnswerT]] = []
        waiting = [key for key in dict.fromkeys(keys) if key not in self._hanging]
        while (waiting or late) and self._monotonic() < end:
            if late and (not waiting or len(late) > self._beside):
                waiting += self._wait_for(late.pop(0), end, answers)
                continue
            errand = self._send(waiting)
            if not self._finished(errand, end):
                late += self._give_up(errand)
            answers.update(errand.answers)
            waiting = [key for key in waiting if key not in answers and key not in self._hanging]
        return answers

    def _send(self, keys: Sequence[KeyT]) -> _Errand[KeyT, AnswerT]:
        if self._worker is None:
            worker: _Worker[KeyT, AnswerT] = _Worker()
            worker.start()  # raises where the machine has no thread to spare: nobody shall wait for one that never ran
            self._worker = worker
        errand: _Errand[KeyT, AnswerT] = _Errand(self._ask, keys, self._monotonic())
        self._worker.errands.put(errand)
        return errand

    def _give_up(self, errand: _Errand[KeyT, AnswerT]) -> list[_Late[KeyT, AnswerT]]:
        """Leave the worker to itself; it ends when its call returns, also if it returned this very moment."""
        worker, self._worker = self._worker, None
        errand.abandoned = True
        if worker is None:
            return []
        worker.errands.put(_Errand(self._ask, (), abandoned=True))
        if errand.done.is_set():
            return []
        key = errand.stands_at
        self._hanging[key] = worker
        return [_Late(key, worker, errand, errand.since + self._patience)]

    def _wait_for(self, late: _Late[KeyT, AnswerT], end: float, answers: dict[KeyT, AnswerT]) -> list[KeyT]:
        """Wait for a key that takes long. The value is that key if its worker ended without having asked for it."""
        late.worker.join(max(0.0, min(late.until, end) - self._monotonic()))
        if late.worker.is_alive():
            return []
        del self._hanging[late.key]
        answers.update(late.errand.answers)
        return [] if late.key in answers else [late.key]

    def _finished(self, errand: _Errand[KeyT, AnswerT], end: float) -> bool:
        """Wait as long as no single key takes too long and the deadline has not passed."""
        while (left := min(errand.since + self._overtake, end) - self._monotonic()) > 0:
            if errand.done.wait(left):
                return True
        return errand.done.is_set()
