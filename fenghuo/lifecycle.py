"""Start, signals, health and an orderly end, for every long-running command.

    async def serve(life: Lifecycle) -> None:
        store = await open_store(...)
        life.on_stop("store", store.close)        # last in, first out
        life.on_reload("rules", engine.reload)
        ...
        life.ready()
        await life.stopped()

    run(serve)

SIGTERM and SIGINT stop, SIGHUP and `POST /-/reload` reload. Each tear-down step has a deadline, is named in
the log, and a step that fails does not keep the next from running.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fenghuo.errors import ConfigError, FenghuoError
from fenghuo.logs import get_logger

Step = Callable[[], Awaitable[None]]

STEP_DEADLINE = 5.0
"""Seconds that one tear-down step may take."""


class Lifecycle:
    """What a running command knows about its own life."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_ready = False
        self.not_ready_because = "starting"
        self._stop = asyncio.Event()
        self._stops: list[tuple[str, Step]] = []
        self._reloads: list[tuple[str, Step]] = []
        self._reloading = asyncio.Lock()
        self._log = get_logger(name)

    def on_stop(self, name: str, step: Step) -> None:
        """Run `step` at the end; steps run in the reverse order of their registration."""
        self._stops.append((name, step))

    def on_reload(self, name: str, step: Step) -> None:
        """Run `step` at a reload, in the order of registration. It raises FenghuoError to refuse."""
        self._reloads.append((name, step))

    def ready(self) -> None:
        """From here on `/-/ready` answers 200."""
        self.is_ready, self.not_ready_because = True, ""

    def not_ready(self, reason: str) -> None:
        """`/-/ready` answers 503 with this reason."""
        self.is_ready, self.not_ready_because = False, reason

    def stop(self) -> None:
        """Ask for the end; `stopped()` returns."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the end has been asked for."""
        return self._stop.is_set()

    async def stopped(self) -> None:
        """Wait until the end is asked for."""
        await self._stop.wait()

    async def reload(self) -> None:
        """Run all reload steps. Raises the first FenghuoError, after which no further step runs."""
        async with self._reloading:
            for name, step in self._reloads:
                await step()
                self._log.info("reloaded", part=name)

    async def close(self) -> None:
        """Tear down, last in first out. Never raises for a step's failure: it is logged."""
        self.not_ready("stopping")
        while self._stops:
            name, step = self._stops.pop()
            try:
                await asyncio.wait_for(step(), STEP_DEADLINE)
            except TimeoutError:
                self._log.error("a part did not stop in time", part=name, seconds=STEP_DEADLINE)
            except Exception as error:  # noqa: BLE001 - one part's failure must not keep the next running
                self._log.error("a part failed to stop", part=name, error=str(error))


async def supervise(name: str, serve: Callable[[Lifecycle], Awaitable[None]]) -> None:
    """Run `serve` under signals until it returns or is told to stop; then tear down."""
    life = Lifecycle(name)
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def hang_up() -> None:
        task = asyncio.ensure_future(_reload_logged(life))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, life.stop)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    serving = asyncio.ensure_future(serve(life))
    ending = asyncio.ensure_future(life.stopped())
    try:
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            # serve() is expected to return by itself once the end is asked for; one that hangs in its
            # start-up is cancelled
            await asyncio.wait({serving}, timeout=STEP_DEADLINE)
            serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
    finally:
        ending.cancel()
        await life.close()


async def _reload_logged(life: Lifecycle) -> None:
    """A reload by signal has nobody to answer to: its failure goes to the log."""
    try:
        await life.reload()
    except ConfigError as error:
        for problem in error.problems:
            get_logger(life.name).error("reload refused", problem=problem.text(error.source))
    except FenghuoError as error:
        get_logger(life.name).error("reload refused", error=str(error))


def run(name: str, serve: Callable[[Lifecycle], Awaitable[None]]) -> None:
    """Run a command to its end on uvloop, or on asyncio's own loop where uvloop is not installed."""
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ModuleNotFoundError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(supervise(name, serve))
