"""The state folder: where everything that outlives a run is kept, and who may use it.

One instance a folder, by a lock that the kernel takes back when its holder dies. This module decides
nothing about what runs.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from fenghuo.errors import StartError, StorageError


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The paths below one state folder."""

    root: Path

    @property
    def config(self) -> Path:
        """Generated configuration, written anew at each start."""
        return self.root / "config"

    @property
    def rules(self) -> Path:
        """The user's own rule files; never written by us."""
        return self.root / "rules"

    @property
    def prometheus(self) -> Path:
        return self.root / "prometheus"

    @property
    def alerting(self) -> Path:
        return self.root / "alerting"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def demo(self) -> Path:
        """The demo pods' container log files, named as a kubelet names them."""
        return self.root / "demo" / "containers"

    @property
    def child_logs(self) -> Path:
        """What each child prints."""
        return self.root / "log"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def status(self) -> Path:
        return self.root / "status.json"

    @property
    def told(self) -> Path:
        """The number of the last message that was printed."""
        return self.root / "told.json"


def default_folder(environment: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/fenghuo`, or `~/.local/state/fenghuo` (XDG base directory specification)."""
    base = environment.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "fenghuo"


def make_folder(folder: StateFolder) -> None:
    """Create what is missing, readable by its owner only. Raises StartError when it can't be written."""
    wanted = (folder.config, folder.rules, folder.prometheus, folder.alerting, folder.logs, folder.child_logs)
    try:
        folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in wanted:
            path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _not_writable(folder.root, error) from error
    for path in (folder.root, *wanted):
        _require_writable(path)


def _require_writable(path: Path) -> None:
    """Also inside: an earlier start as root leaves folders of root's."""
    probe = path / ".probe"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise _not_writable(path, error) from error


def _not_writable(path: Path, error: OSError) -> StartError:
    remedy = "choose another with --state DIR, or make it yours"
    return StartError(f"the state folder {path} can't be written ({error.strerror})", remedy)


class Lock:
    """The state folder is ours until `release`, or until this process ends in whatever way."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def release(self) -> None:
        self._file.close()


def take_lock(folder: StateFolder, pid: int) -> Lock:
    """Take the folder for the process `pid`. Raises StartError naming the process that has it."""
    try:
        file = folder.lock.open("a+", encoding="utf-8")
    except OSError as error:
        raise _not_writable(folder.root, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StartError(
            f"the state folder {folder.root} is in use by process {_written_pid(folder)}",
            f"`fenghuo up stop --state {folder.root}` ends it, or choose another with --state DIR",
        ) from error
    file.truncate(0)
    file.write(str(pid))
    file.flush()
    return Lock(file)


def holder(folder: StateFolder) -> int | None:
    """The process that runs on this folder, None when nobody does."""
    try:
        with folder.lock.open(encoding="utf-8") as file:
            # Shared, so that two who ask do not see each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _written_pid(folder)
    except OSError as error:
        raise StorageError(f"{folder.lock}: {error.strerror}") from error
    return None


def _written_pid(folder: StateFolder) -> int:
    try:
        return int(folder.lock.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def read_json(path: Path) -> Any:
    """The file's content, None when it is missing or damaged: these files are conveniences, not records."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_json(path: Path, content: object) -> None:
    """Replace the file at once, so that a reader sees the old or the new, never half."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Replace the file at once. Raises StorageError naming it."""
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105 - the name says that it is the atomic one
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
