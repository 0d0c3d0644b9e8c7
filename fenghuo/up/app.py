"""`fenghuo up`: the only place that builds and wires the local stack. Read top to bottom, it is the start."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from fenghuo.addresses import free_port, parse_address
from fenghuo.backoff import Backoff
from fenghuo.clock import Clock, SystemClock, rfc3339
from fenghuo.errors import StartError, StorageError
from fenghuo.httpcall import AiohttpCaller, HttpCaller, safe_url
from fenghuo.httpserve import new_application, serve
from fenghuo.lifecycle import Lifecycle
from fenghuo.telemetry import new_registry
from fenghuo.up import ports, prometheus
from fenghuo.up.messages import MessageTeller
from fenghuo.up.metrics import PartsCollector
from fenghuo.up.page.gather import Addresses, Gatherer
from fenghuo.up.page.views import add_page
from fenghuo.up.parts import Change, Child, Outside, Part
from fenghuo.up.plan import CONTAINER_LOGS, Machine, Options, PartSpec, Plan, make_plan
from fenghuo.up.process import LocalSpawner
from fenghuo.up.progress import Progress, Row
from fenghuo.up.state import StateFolder, default_folder, make_folder, read_json, take_lock, write_json, write_text
from fenghuo.up.status import StackStatus, status_of_part
from fenghuo.up.supervisor import Supervisor

START_DEADLINE = 60.0
"""Seconds after which the table is shown whatever is not ready; what is late goes on being tried."""
RESTART = Backoff(first=0.5, limit=30.0)
STATUS_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says. `address` empty means the usual port of loopback, or any if it is taken."""

    folder: StateFolder
    options: Options
    address: str = ""


class Stack:
    """The running stack, as the status, the page and the terminal see it."""

    def __init__(self, settings: Settings, plan: Plan, caller: HttpCaller, progress: Progress) -> None:
        self.settings = settings
        self.plan = plan
        self.clock: Clock = SystemClock()
        self.url = ""
        self._progress = progress
        self._began = self.clock.now()
        self._began_monotonic = self.clock.monotonic()
        self.spawner = LocalSpawner(settings.folder.child_logs, settings.folder.root, os.environ)
        self.supervisor = Supervisor([self._part(spec, caller) for spec in plan.parts], self.clock)

    def _part(self, spec: PartSpec, caller: HttpCaller) -> Part:
        if spec.command:
            return Child(spec, self.clock, caller, self._changed, self.spawner, RESTART)
        return Outside(spec, self.clock, caller, self._changed)

    def _changed(self, change: Change) -> None:
        self._progress.changed(change)
        self.write_status()

    def status(self) -> StackStatus:
        now = self.clock.monotonic()
        return StackStatus(
            pid=os.getpid(),
            url=self.url,
            state=str(self.settings.folder.root),
            since=rfc3339(self._began),
            uptime=round(now - self._began_monotonic, 1),
            demo=self.settings.options.demo,
            parts=tuple(
                status_of_part(part, now, self.spawner.path_of(part.spec.name) if part.spec.command else None)
                for part in self.supervisor.parts
            ),
        )

    def write_status(self) -> None:
        """For `fenghuo up status`, should the page not answer."""
        try:
            write_json(self.settings.folder.status, self.status().document())
        except StorageError:
            pass  # the page tells it too


async def up(life: Lifecycle, settings: Settings, console: Console) -> None:
    """Run the stack until the end is asked for. Raises StartError for what keeps it from starting."""
    progress = Progress(console)
    hold_folder(life, settings.folder, progress)
    if settings.address:
        ports.require_free(*parse_address(settings.address))
    caller = AiohttpCaller()
    life.on_stop("calls", caller.close)
    options = await unless_stopped(life, with_prometheus(settings.options, caller, progress))
    if options is None:
        return
    settings = replace(settings, options=options)
    chosen = choose_ports(settings)
    plan = make_plan(options, settings.folder, chosen, this_machine())
    for path, text in plan.files.items():
        write_text(path, text)
    stack = Stack(settings, plan, caller, progress)
    await serve_page(life, stack, caller, chosen["page"])
    write_json(settings.folder.ports, chosen)
    progress.begin(plan.parts)
    stack.supervisor.start()
    life.on_stop("children", stack.supervisor.stop)
    await unless_stopped(life, stack.supervisor.settled(START_DEADLINE))
    progress.end()
    if not life.stopping:
        life.ready()
        progress.closing(closing_rows(stack), hints(stack))
        await run_on(life, stack, caller, progress)
    progress.say("stopping")


def hold_folder(life: Lifecycle, folder: StateFolder, progress: Progress) -> None:
    """Make the state folder ours until the very end. Raises StartError when it can't be."""
    make_folder(folder)
    lock = take_lock(folder, os.getpid())
    folder.status.unlink(missing_ok=True)  # of a run that was killed

    async def release() -> None:
        ran = folder.status.exists()
        folder.status.unlink(missing_ok=True)
        lock.release()
        if ran:
            progress.say(f"stopped; the next start goes on from {folder.root}")

    life.on_stop("state folder", release)


async def with_prometheus(options: Options, caller: HttpCaller, progress: Progress) -> Options:
    """The options with the Prometheus to run or to use. Raises StartError with what to do about it."""
    if options.prometheus_url:
        await prometheus.check_remote(options.prometheus_url, caller)
        return options
    machine = prometheus.Machine(prometheus.run_command)
    return replace(options, prometheus=await prometheus.provide(options.prometheus, machine, progress.say))


def choose_ports(settings: Settings) -> dict[str, int]:
    """The port of each part; the page's is the one that the user named, if they did."""
    remembered = ports.read_remembered(read_json(settings.folder.ports))
    if not settings.address:
        return ports.choose(ports.USUAL, remembered)
    host, port = parse_address(settings.address)
    others = {name: usual for name, usual in ports.USUAL.items() if name != "page"}
    chosen = ports.choose(others, remembered, lambda candidate: candidate != port and ports.is_free(candidate))
    return {"page": port or free_port(host), **chosen}


def this_machine() -> Machine:
    """What the plan depends on. The alert engine is looked for by name and not imported."""
    found = find_spec("alerting")
    if found is None or not found.submodule_search_locations:
        raise StartError("the package alerting is not installed", "pip install 'fenghuo[up]'")
    starter = Path(found.submodule_search_locations[0]) / "rules" / "library" / "starter.yml"
    return Machine(Path(CONTAINER_LOGS).parent.is_dir(), starter)


async def serve_page(life: Lifecycle, stack: Stack, caller: HttpCaller, port: int) -> None:
    """Serve the first web page, the status and our own metrics; `stack.url` is known from here on."""
    registry = new_registry("up")
    registry.register(PartsCollector(stack.status))
    application = new_application(life, registry)
    host = parse_address(stack.settings.address)[0] if stack.settings.address else ports.LOOPBACK
    plan = stack.plan
    addresses = Addresses(plan.url("prometheus"), plan.url("alerting"), plan.url("logs"))
    add_page(application, Gatherer(addresses, caller, stack.clock, stack.status), host)
    shown = f"[{host}]" if ":" in host else host
    await serve(life, application, f"{shown}:{port}")
    stack.url = f"http://{ports.connectable(host)}:{port}"


async def run_on(life: Lifecycle, stack: Stack, caller: HttpCaller, progress: Progress) -> None:
    """Tell messages and keep the status file fresh until the end is asked for."""
    told = stack.settings.folder.told
    teller = MessageTeller(stack.plan.url("alerting"), caller, stack.clock, told, progress.message)

    async def keep_status() -> None:
        while True:
            stack.write_status()
            await stack.clock.sleep(STATUS_EVERY)

    async def both() -> None:
        await asyncio.gather(teller.run(), keep_status())

    await unless_stopped(life, both())


T = TypeVar("T")


async def unless_stopped(life: Lifecycle, work: Awaitable[T]) -> T | None:
    """The work's result; None, and the work cancelled, when the end is asked for first."""
    working, ending = asyncio.ensure_future(work), asyncio.ensure_future(life.stopped())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        working.cancel()
        await asyncio.wait({working})
        return None
    finally:
        ending.cancel()


def closing_rows(stack: Stack) -> list[Row]:
    """What is where."""
    folder, status = stack.settings.folder, stack.status()
    parts = [
        (part.title, part.url if part.is_ready else f"{part.url}  {part.state}: {part.last_error or 'not ready yet'}")
        for part in status.parts
    ]
    files = [("config", str(path)) for path in stack.plan.files]
    files.append(("your own rules", str(folder.rules / "*.yml")))
    logs = [("log files read", path) for path in stack.plan.log_paths]
    return [("page", stack.url), *parts, *logs, ("state folder", str(folder.root)), *files]


def hints(stack: Stack) -> Sequence[str]:
    """What to try, what to do, and the last words of what can't start."""
    root, options = stack.settings.folder.root, stack.settings.options
    state = "" if root == default_folder(os.environ) else f" --state {root}"
    lines = [f"{part.title}: {line}" for part in stack.status().parts for line in part.last_lines[-3:]]
    if options.prometheus_url:
        snippet = root / "config" / "scrape-snippet.yml"
        lines.append(f"add the scrape jobs of {snippet} to {safe_url(options.prometheus_url)} and reload it")
    words = "level:error payment" if options.demo else "level:error"
    lines.append(f"try:  {command_name()} logs search '{words}' --since 10m{state}")
    lines.append(f"      {command_name()} up status{state}")
    if options.demo:
        lines.append("the demo's payments fail for half a minute now: a message arrives here, then its resolution")
    return [*lines, "Ctrl-C stops everything"]


def command_name() -> str:
    """How to call us from another terminal of this folder: `make run` leaves the command in `.venv/bin`."""
    beside = Path(sys.executable).with_name("fenghuo")
    if shutil.which("fenghuo") or not beside.exists():
        return "fenghuo"
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)
