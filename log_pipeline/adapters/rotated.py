"""Where files are after a rotation by rename: in their folder, under a longer name."""

import os
from contextlib import suppress
from pathlib import Path

from log_pipeline.adapters.positions import FileKey

COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".zip", ".lz4")


def renamed(real_path: str, key: FileKey) -> str:
    """The path of that very file in the folder of its old path; empty when it is not there."""
    with suppress(OSError), os.scandir(Path(real_path).parent) as entries:
        for entry in entries:
            if entry.inode() == key.inode and entry.is_file(follow_symlinks=False):
                return entry.path
    return ""


def later_siblings(real_path: str, since: float) -> list[FileKey]:
    """Files that took this path later and were rotated away from it too, oldest first.

    Told by their names, which begin with the path's, and by a last write at or after `since` (Unix seconds).
    """
    name = Path(real_path).name
    found: list[tuple[float, FileKey]] = []
    with suppress(OSError), os.scandir(Path(real_path).parent) as entries:
        for entry in entries:
            if not entry.name.startswith(name) or entry.name == name or entry.name.endswith(COMPRESSED):
                continue
            if entry.is_file(follow_symlinks=False):
                status = entry.stat()
                found.append((status.st_mtime, FileKey(status.st_dev, status.st_ino)))
    return [key for written, key in sorted(found) if written >= since]
