"""Cgroups of this machine that a test makes, fills with processes and takes away again. Needs root."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from exporters.app import cgroup_group
from exporters.host import Host, Roots
from exporters.testing import exposed, samples_in

CGROUPS = Path("/sys/fs/cgroup")
UNIFIED = CGROUPS / "unified" if (CGROUPS / "unified").exists() else CGROUPS
"""The hierarchy of v2: on a hybrid machine it stands beside those of v1, without their controllers."""

ENTER = "import os, pathlib, sys; pathlib.Path(sys.argv[1], 'cgroup.procs').write_text(str(os.getpid()))\n"


def is_v1() -> bool:
    return UNIFIED != CGROUPS


@contextlib.contextmanager
def own_cgroup(hierarchy: Path) -> Iterator[Path]:
    """A cgroup's folder; whatever is in it at the end is killed."""
    folder = hierarchy / f"fenghuo-test-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        folder.rmdir()


@contextlib.contextmanager
def working_in(folder: Path, script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process in a cgroup that runs a script, which may tell by a line how far it is; it is ended in all cases."""
    command = [sys.executable, "-c", ENTER + script, str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> str:
    """The next line that a process tells."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def published(collector: str, of: Path, root: Path = CGROUPS) -> dict[str, float]:
    """What a collector publishes of one cgroup of this machine, without the labels."""
    samples = samples_in(exposed(cgroup_group(Host(Roots(cgroupfs=str(root))), {}).collectors[collector]))
    return {name.partition("{")[0]: value for name, value in samples.items() if f'id="/{of.name}"' in name}
