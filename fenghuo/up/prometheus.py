"""A Prometheus to run or to use: found, checked for its age, installed by apt where that is allowed."""

import asyncio
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from fenghuo.errors import RemoteAnswer, RemoteError, StartError
from fenghuo.httpcall import HttpCaller, Request, safe_url

OLDEST = (2, 40)
"""The first long-term line whose API and flags we use and test; Debian 12 has 2.42, Ubuntu 24.04 has 2.45."""
BY_HAND = "run `sudo apt-get install prometheus`, or name one with --prometheus PATH or --prometheus-url URL"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a short command ended; `output` is its two streams together."""

    code: int
    output: str


Runner = Callable[[Sequence[str], float], Awaitable[Ran]]
"""Runs (command, time-out in seconds) to its end; a command that is missing or late has code 127."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What providing a Prometheus asks of the machine."""

    run: Runner
    which: Callable[[str], str | None] = shutil.which
    is_root: Callable[[], bool] = lambda: os.geteuid() == 0


async def provide(explicit: str, machine: Machine, say: Callable[[str], None]) -> str:
    """The path of a Prometheus that is new enough. Raises StartError with the one command to run."""
    path = machine.which(explicit or "prometheus")
    if path is None and explicit:
        raise StartError(f"there is no program {explicit}", "name the prometheus binary with --prometheus PATH")
    if path is None:
        await _install(machine, say)
        path = machine.which("prometheus")
    if path is None:
        raise StartError("the package prometheus has no program `prometheus`", BY_HAND)
    path = _absolute(path)
    ran = await machine.run((path, "--version"), 20.0)
    require_new_enough(ran.output, path)
    return path


def _absolute(path: str) -> str:
    """One that is named from this folder must be found from the state folder, where children run."""
    return str(Path(path).absolute())


async def check_remote(url: str, caller: HttpCaller) -> None:
    """Raises StartError when nobody answers at `url`, or a Prometheus that is too old.

    A server that answers queries but tells no version (VictoriaMetrics, Mimir) is taken as it is.
    """
    base = url.rstrip("/")
    try:
        version = await _version(base, caller)
        if version is None:
            await _require_query(base, caller)
    except RemoteError as error:
        reason = error.reason.strip().partition("\n")[0]
        raise StartError(f"no Prometheus answers at {safe_url(url)} ({reason})", "check --prometheus-url") from error
    if version is not None:
        require_new_enough(f"version {version}", safe_url(url))


async def _version(base: str, caller: HttpCaller) -> object:
    """What the server says of itself, None when it says nothing."""
    answer = await caller.call(Request("GET", f"{base}/api/v1/status/buildinfo", timeout=5.0))
    try:
        return answer.ok().json()["data"].get("version")
    except (RemoteAnswer, KeyError, TypeError, AttributeError):
        return None


async def _require_query(base: str, caller: HttpCaller) -> None:
    """Raises RemoteError when the simplest query is not answered as Prometheus does."""
    answer = (await caller.call(Request("GET", f"{base}/api/v1/query?query=1", timeout=5.0))).ok()
    content = answer.json()
    if not isinstance(content, dict) or content.get("status") != "success":
        raise RemoteAnswer(answer.url, answer.status, "no answer of its kind")


def require_new_enough(output: str, where: str) -> None:
    """Check `prometheus, version 2.42.0+ds (branch: …`. Raises StartError naming found and needed version."""
    match = re.search(r"version v?(\d+)\.(\d+)(\S*)", output)
    if match is None:
        raise StartError(f"{where} tells no Prometheus version: {output.strip()[:120]!r}", BY_HAND)
    if (int(match[1]), int(match[2])) < OLDEST:
        found, needed = f"{match[1]}.{match[2]}{match[3]}", ".".join(map(str, OLDEST))
        raise StartError(f"Prometheus {found} at {where} is too old, {needed} or newer is needed", BY_HAND)


async def _install(machine: Machine, say: Callable[[str], None]) -> None:
    if machine.which("apt-get") is None:
        raise StartError("there is no `prometheus` on this machine", "install Prometheus, or use --prometheus-url URL")
    elevate: tuple[str, ...] = ()
    if not machine.is_root():
        elevate = ("sudo", "-n")
        if machine.which("sudo") is None or (await machine.run((*elevate, "true"), 10.0)).code != 0:
            raise StartError("there is no `prometheus` on this machine", BY_HAND)
    say("installing the package prometheus (apt-get)")
    apt = (*elevate, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    for step in (("update",), ("install", "-y", "--no-install-recommends", "prometheus")):
        ran = await machine.run((*apt, *step), 600.0)
        # An update fails when one of many mirrors does; the install then says whether it matters.
        if ran.code != 0 and step[0] == "install":
            raise StartError(f"apt-get could not install prometheus: {_last_line(ran.output)}", BY_HAND)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


async def run_command(command: Sequence[str], timeout: float) -> Ran:
    """The real Runner. The output goes through a file: what the command started may outlive it and hold a pipe."""
    with TemporaryFile() as output:
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=asyncio.subprocess.STDOUT
            )
        except OSError as error:
            return Ran(127, str(error))
        try:
            async with asyncio.timeout(timeout):
                code = await process.wait()
        except TimeoutError:
            return Ran(127, f"no end within {timeout:g} s")
        finally:
            if process.returncode is None:
                await _end(process)
        output.seek(0)
        return Ran(code, output.read().decode("utf-8", "replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        process.kill()
    except ProcessLookupError:
        pass  # it ended by itself
    except PermissionError:
        return  # sudo is root's; it hears Ctrl-C from the terminal, as we do
    await process.wait()
