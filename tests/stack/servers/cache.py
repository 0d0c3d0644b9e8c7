"""What is fetched or built once and used by every later run: `$XDG_CACHE_HOME/fenghuo/test-servers/NAME-KEY`.

An entry appears whole or not at all, and two runs at once do not tread on each other. Its key holds a digest of
what it is made from, so that an edit of a pom or a source makes a new entry; old ones may be deleted by hand.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_home() -> Path:
    """The folder of all entries."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fenghuo" / "test-servers"


def cached(name: str, inputs: Iterable[Path], build: Callable[[Path], None], home: Path | None = None) -> Path:
    """The folder of an entry; `build` fills it, given an empty folder, where it is not there yet.

    `inputs` are the files it is made from. What `build` raises passes through and leaves nothing behind.
    """
    home = home or cache_home()
    entry = home / f"{name}-{digest(inputs)}"
    if entry.is_dir():
        return entry
    with locked(home / f"{entry.name}.lock"):
        if not entry.is_dir():  # another run may have built it while this one waited
            _build_whole(entry, build)
    return entry


def digest(inputs: Iterable[Path]) -> str:
    """Twelve hex digits over names and contents, in the order of the names."""
    total = hashlib.sha256()
    for path in sorted(inputs):
        content = path.read_bytes()
        total.update(f"{path.name} {len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()[:12]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One holder at a time, of any thread or process; a lock ends with its process, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_whole(entry: Path, build: Callable[[Path], None]) -> None:
    # beside the entry, because a rename is atomic only within one file system
    unfinished = Path(tempfile.mkdtemp(prefix=f"{entry.name}.unfinished-", dir=entry.parent))
    try:
        build(unfinished)
        unfinished.rename(entry)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
