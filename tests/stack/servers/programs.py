"""Programs of the machine: find one, run one to its end. What is missing is named together with the remedy."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fenghuo.errors import StartError

INSTALL = "run scripts/install-servers.sh"
"""The remedy for whatever is missing."""


def find_program(*candidates: str) -> Path:
    """The first of the programs that is installed. Raises StartError naming them all."""
    for candidate in candidates:
        found = shutil.which(candidate)
        if found is not None:
            return Path(found)
    raise StartError(f"not installed: {' or '.join(candidates)}", INSTALL)


def run(command: Sequence[str | Path], timeout: float = 600.0) -> None:
    """Run a tool to its end. Raises StartError when it fails or takes longer than `timeout` seconds."""
    words = list(map(str, command))
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise StartError(f"{words[0]} took longer than {timeout:g} s", " ".join(words)) from error
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip().splitlines()
        raise StartError(
            f"{words[0]} failed with status {done.returncode}", "\n  ".join([" ".join(words), *said[-15:]])
        )
