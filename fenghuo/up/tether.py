"""Become a command that dies with its parent: `python tether.py PARENT_PID COMMAND…`.

A supervisor that is killed outright (`SIGKILL`, out of memory) can't stop its children, and children that
outlive it would hold their ports and databases. So each child asks the kernel for `SIGKILL` at its parent's
death (prctl(2), PR_SET_PDEATHSIG; kept across execve) and then becomes the command, under the same process
id. Every product survives that signal by promise. This is a program of its own rather than a `preexec_fn`,
because Python code between fork and exec may dead-lock in a process with threads.

It runs without the package and without site-packages (`python -I -S`), which takes some 15 ms.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie, check, become."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"can't tie to the parent: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it died before the tie was made
        sys.exit("the parent is gone")
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell on purpose
    except OSError as error:
        sys.exit(f"can't run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
