"""Programs written in Go, built from the Go module proxy with a Go that is new enough.

Debian's Go is older than what many programs want. The module proxy has the toolchains themselves as modules
(https://go.dev/doc/toolchain, "module path golang.org/toolchain"): any Go can fetch a newer one, checked against the
checksum database like every module.
"""

import json
import platform
import re
import shutil
import stat
import subprocess
from pathlib import Path

from fenghuo.errors import StartError
from tests.stack.servers.cache import cache_home, cached, locked
from tests.stack.servers.programs import find_program, run

TOOLCHAIN = "1.26.8"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Go's names of machines."""


def installed(module: str, version: str, at_least: tuple[int, int]) -> Path:
    """The program of a Go module, built once: `installed("github.com/a/b", "v1.2.3", (1, 25))`.

    `at_least` is the Go that it needs. Raises StartError with what the compiler said, or why there is none.
    """
    name = module.rpartition("/")[2]

    def build(entry: Path) -> None:
        go = find_go(at_least)
        with locked(cache_home() / "go.lock"):  # two builds at once would fill the machine
            run(["env", f"GOBIN={entry}", "GOTOOLCHAIN=local", "CGO_ENABLED=0", go, "install", f"{module}@{version}"])

    return cached(f"{name}-{version}", [], build) / name


def find_go(at_least: tuple[int, int]) -> Path:
    """The program `go` of a version or newer: the machine's, else one that it fetches. Raises StartError."""
    go = find_program("go")
    if version_of(go) >= at_least:
        return go
    return next(cached(f"go-{TOOLCHAIN}", [], lambda entry: _fetch(go, entry)).glob("bin/go"))


def version_of(go: Path) -> tuple[int, int]:
    """What `go version` says; (0, 0) when it says nothing of that kind."""
    said = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=False).stdout
    matched = re.search(r"\bgo(\d+)\.(\d+)", said)
    return (int(matched[1]), int(matched[2])) if matched else (0, 0)


def _fetch(go: Path, entry: Path) -> None:
    """Unpack the toolchain for this machine into `entry`."""
    machine = MACHINES.get(platform.machine(), platform.machine())
    module = f"golang.org/toolchain@v0.0.1-go{TOOLCHAIN}.linux-{machine}"
    store = entry / "modules"
    command = ["env", f"GOPATH={store}", "GOFLAGS=-modcacherw", str(go), "mod", "download", "-json", module]
    said = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=entry)
    if said.returncode:
        raise StartError(f"can't fetch Go {TOOLCHAIN}", (said.stdout + said.stderr).strip())
    for part in Path(json.loads(said.stdout)["Dir"]).iterdir():
        part.rename(entry / part.name)
    shutil.rmtree(store)
    for program in [*entry.glob("bin/*"), *entry.glob("pkg/tool/*/*")]:  # a module's files carry no such mode
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
