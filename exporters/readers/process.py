"""/proc/<pid>/stat and /proc/<pid>/task/<tid>/stat, proc_pid_stat(5)."""

THREADS = 17
STARTED = 19
"""Places in what `after_name` returns. The start is in ticks since the boot."""


def after_name(stat: bytes) -> list[bytes]:
    """The words from the state on, as far as there is a place for them here. The name before them may hold spaces and
    parentheses.
    """
    return stat[stat.rfind(b")") + 1 :].split(None, STARTED + 1)


def state_of(stat: bytes) -> bytes:
    """The letter of the state; empty if there is none."""
    place = stat.rfind(b")") + 2
    return stat[place : place + 1]
