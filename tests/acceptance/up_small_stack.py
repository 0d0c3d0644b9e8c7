"""`python -m tests.acceptance.up_small_stack FOLDER PORT PORT`: a supervisor with two real children, to be killed.

Prints a JSON line with the children's process ids once they are ready, and each change as a line.
"""

import json
import os
import sys
from pathlib import Path

from fenghuo.backoff import Backoff
from fenghuo.clock import SystemClock
from fenghuo.httpcall import AiohttpCaller
from fenghuo.lifecycle import Lifecycle, run
from fenghuo.up.parts import Change, Child
from fenghuo.up.plan import PartSpec, python
from fenghuo.up.process import LocalSpawner
from fenghuo.up.supervisor import Supervisor


async def main(life: Lifecycle) -> None:
    folder, ports = Path(sys.argv[1]), sys.argv[2:]
    caller, clock = AiohttpCaller(), SystemClock()
    life.on_stop("calls", caller.close)
    spawner = LocalSpawner(folder, folder, os.environ)

    def tell(change: Change) -> None:
        print(f"{change.title} {change.text}", flush=True)

    def child(port: str) -> Child:
        address = f"127.0.0.1:{port}"
        command = python("fenghuo.up.demo", f"--folder={folder / port}", f"--web.listen-address={address}")
        return Child(PartSpec(port, port, f"http://{address}", command), clock, caller, tell, spawner, Backoff(0.2))

    children = [child(port) for port in ports]
    supervisor = Supervisor(children, clock)
    supervisor.start()
    life.on_stop("children", supervisor.stop)
    await supervisor.settled(30)
    print(json.dumps([one.pid for one in children]), flush=True)
    await life.stopped()


if __name__ == "__main__":
    run("small-stack", main)
