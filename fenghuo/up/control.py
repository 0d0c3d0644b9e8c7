"""`fenghuo up status` and `fenghuo up stop`, from another terminal."""

import os
import signal
from dataclasses import replace

from fenghuo.clock import Clock
from fenghuo.errors import RemoteError, StartError
from fenghuo.httpcall import HttpCaller, Request
from fenghuo.up.state import StateFolder, holder, read_json
from fenghuo.up.status import StackStatus, read_status

STOP_TIMEOUT = 20.0


async def ask_status(folder: StateFolder, caller: HttpCaller) -> StackStatus | None:
    """How the stack on this folder is; None when nothing runs there. A page that is mute is said as `stale`."""
    pid = holder(folder)
    if pid is None:
        return None
    written = read_status(read_json(folder.status))
    if written is None:
        return StackStatus(pid, "", str(folder.root), "?", 0.0, demo=False, parts=(), stale="it is starting")
    try:
        answer = await caller.call(Request("GET", f"{written.url}/api/status", timeout=3.0))
        live = read_status(answer.ok().json())
    except RemoteError as error:
        return replace(written, stale=f"the page does not answer ({error.reason}); this is what was last written")
    return live if live is not None and live.pid == pid else replace(written, stale="another answers on its port")


async def stop(folder: StateFolder, clock: Clock) -> bool:
    """End what runs on this folder and wait for its end; False when nothing does. Raises StartError."""
    pid = holder(folder)
    if pid is None:
        return False
    if pid <= 0:
        raise StartError(f"{folder.lock} names no process", "stop it by hand; `ps` shows it as `fenghuo up`")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it ended by itself meanwhile
    except PermissionError as error:
        raise StartError(f"process {pid} belongs to another user", "stop it as that user") from error
    deadline = clock.monotonic() + STOP_TIMEOUT
    while holder(folder) == pid:  # another that takes the folder meanwhile is not ours to wait for
        if clock.monotonic() >= deadline:
            raise StartError(f"process {pid} has not stopped within {STOP_TIMEOUT:g} s", f"end it with `kill -9 {pid}`")
        await clock.sleep(0.05)
    return True
