"""Ask file systems for their sizes: a mount that hangs is reported as hanging, and left alone until it answers."""

import os
from collections.abc import Callable, Sequence

from exporters.patience import Patience

Answer = os.statvfs_result | OSError | TimeoutError
"""What came of asking: the sizes, the error, or that it hangs."""

HANGS = TimeoutError("mountpoint timeout")


class MountProbe:
    """Asks for many mounts; `patience` is seconds for one mount, `deadline` for all together.

    As many as `at_once` are asked at the same time, so that a few slow ones don't use up the others' time.
    """

    def __init__(
        self,
        statvfs: Callable[[str], os.statvfs_result],
        patience: float = 2.0,
        deadline: float = 4.0,
        at_once: int = 4,
    ) -> None:
        self._statvfs = statvfs
        self._patience = Patience(self._ask_one, min(patience, deadline), deadline, beside=at_once - 1)
        self._silent: set[str] = set()

    def ask(self, paths: Sequence[str]) -> dict[str, Answer]:
        """The answer for each path; `HANGS` for one that does not answer in time."""
        if self._silent:  # last, or the first scrapes after a server's death would lack mounts that are well
            paths = sorted(paths, key=self._silent.__contains__)
        answers = self._patience.ask(paths)
        if len(answers) == len(paths):
            self._silent.clear()
            return dict(answers)
        self._silent = {path for path in paths if path not in answers}
        return {**dict.fromkeys(self._silent, HANGS), **answers}

    def _ask_one(self, path: str) -> Answer:
        try:
            return self._statvfs(path)
        except OSError as error:
            return error
        except ValueError as error:  # a null byte in a path
            return OSError(str(error))
