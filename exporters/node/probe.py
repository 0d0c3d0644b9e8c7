"""Ask file systems for their sizes: a mount that hangs is reported as hanging, and left alone until it answers."""

import os
from collections.abc import Callable, Sequence

from exporters.patience import Patience

Answer = os.statvfs_result | OSError | TimeoutError
"""What came of asking: the sizes, the error, or that it hangs."""

HANGS = TimeoutError("mountpoint timeout")


class MountProbe:
    """Asks for many mounts; `patience` is seconds for one mount, `deadline` for all that hang together."""

    def __init__(
        self, statvfs: Callable[[str], os.statvfs_result], patience: float = 2.0, deadline: float = 4.0
    ) -> None:
        self._statvfs = statvfs
        self._patience = Patience(self._ask_one, patience, deadline)

    def ask(self, paths: Sequence[str]) -> dict[str, Answer]:
        """The answer for each path; `HANGS` for one that does not answer in time."""
        return {**dict.fromkeys(paths, HANGS), **self._patience.ask(paths)}

    def _ask_one(self, path: str) -> Answer:
        try:
            return self._statvfs(path)
        except OSError as error:
            return error
        except ValueError as error:  # a null byte in a path
            return OSError(str(error))
