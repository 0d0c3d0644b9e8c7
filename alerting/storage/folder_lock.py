"""One engine a folder: two on one file would evaluate everything twice and tell everything twice."""

import fcntl
from pathlib import Path
from typing import Self, TextIO

from fenghuo.errors import StartError


class FolderLock:
    """Held from `take` to `release`; the kernel lets go of it however the process ends."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Make the folder and hold it.

        Raises StartError naming it when it can't be written or another process holds it.
        """
        path = folder / "alerting.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("w", encoding="utf-8")
        except OSError as error:
            cause = f"can't use the folder {folder}: {error.strerror or error}"
            raise StartError(cause, "choose another --storage.path") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            cause = f"the folder {folder} is in use by another alert engine"
            raise StartError(cause, "stop it, or choose another --storage.path") from error
        return cls(file)

    async def release(self) -> None:
        """Let go; the file stays, empty."""
        self._file.close()
