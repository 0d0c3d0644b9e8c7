"""/proc/<pid>/stat and /proc/<pid>/task/<tid>/stat, proc_pid_stat(5)."""

STATE = 0
THREADS = 17
STARTED = 19
"""Places in what `after_name` returns. The start is in ticks since the boot."""


def after_name(stat: bytes) -> list[bytes]:
    """The words from the state on. The name before them may hold spaces and parentheses."""
    return stat[stat.rfind(b")") + 1 :].split()
