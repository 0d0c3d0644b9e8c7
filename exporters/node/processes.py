"""Processes and threads by state, and how many there may be, from /proc.

The kernel has no count of states: every process is asked, which is why this is off by default. A process with one
thread is asked once; for others each thread is. A process that ends meanwhile is not counted. Under `hidepid=1` the
collector fails for want of rights; under `hidepid=2` it sees this user's processes only, as node_exporter does, and
says so. Format: proc_pid_stat(5).
"""

from collections import Counter
from collections.abc import Iterator

from exporters.collector import Family, Malformed, NoData, Sample, gauge
from exporters.host import Host, Reason, Unreadable
from exporters.readers import process
from exporters.readers.numbers import natural
from exporters.readers.sysfs import needed

THREADS = gauge("node_processes_threads", "Threads of all processes.")
MAX_THREADS = gauge("node_processes_max_threads", "Threads that there may be at most.")
STATE = gauge("node_processes_state", "Processes in a state.", "state")
THREADS_STATE = gauge("node_processes_threads_state", "Threads in a state.", "thread_state")
PIDS = gauge("node_processes_pids", "Processes.")
MAX_PROCESSES = gauge("node_processes_max_processes", "The number that no process's id reaches.")

SEE_ALL = "CAP_SYS_PTRACE"
"""The capability that lets a process see those of others under `hidepid`, proc(5)."""


class Processes:
    """Lists /proc, and reads the state of each process and thread."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._max_threads = host.proc.keep("sys/kernel/threads-max")
        self._max_processes = host.proc.keep("sys/kernel/pid_max")

    def collect(self, now: float) -> Iterator[Family]:
        states: Counter[str] = Counter()
        thread_states: Counter[str] = Counter()
        all_threads = 0
        pids = self._ids("")
        if "1" not in pids:  # every machine and every container has it
            self._host.deny(self._host.proc.path("1"), SEE_ALL)
        for pid in pids:
            process = self._stat(pid)
            if process is None:
                continue
            state, threads = process
            states[state] += 1
            all_threads += threads
            thread_states[state] += 1
            if threads > 1:
                thread_states.update(self._states_of_others(pid))
        yield THREADS.single(all_threads)
        yield STATE.family(_samples(states))
        yield THREADS_STATE.family(_samples(thread_states))
        yield PIDS.single(states.total())
        yield MAX_THREADS.single(needed(self._max_threads))
        yield MAX_PROCESSES.single(needed(self._max_processes))

    def _states_of_others(self, pid: str) -> Iterator[str]:
        """The states of a process's threads, save its first."""
        for thread in self._ids(f"{pid}/task"):
            found = self._stat(f"{pid}/task/{thread}") if thread != pid else None
            if found is not None:
                yield found[0]

    def _ids(self, folder: str) -> list[str]:
        """The processes in /proc, or the threads in a process's folder; none if it has ended."""
        names = self._host.proc.names(folder)
        if isinstance(names, Unreadable):
            if folder and names.reason is Reason.ABSENT:
                return []
            raise self._refused(names)
        return [name for name in names if name.isdigit()]

    def _stat(self, folder: str) -> tuple[str, int] | None:
        """The state and the number of threads; None if the process or thread has ended."""
        content = self._host.proc.read(f"{folder}/stat")
        if isinstance(content, Unreadable):
            if content.reason is Reason.ABSENT:
                return None
            raise self._refused(content)
        fields = process.after_name(content)
        try:
            return fields[0].decode("ascii"), natural(fields[process.THREADS].decode("ascii"))
        except (IndexError, ValueError) as error:
            path = self._host.proc.path(f"{folder}/stat")
            raise Malformed(path, 1, "`<pid> (<name>) <state> …`", content.decode(errors="replace")) from error

    def _refused(self, what: Unreadable) -> NoData:
        """A count without some processes would be wrong, so there is none."""
        if what.reason is Reason.NOT_PERMITTED:
            self._host.deny(what.path, SEE_ALL)
        return NoData(str(what))


def _samples(counted: Counter[str]) -> list[Sample]:
    return [((state,), count) for state, count in sorted(counted.items())]
