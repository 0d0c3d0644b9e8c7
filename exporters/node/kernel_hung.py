"""Tasks that the kernel found hung, from /proc/sys/kernel/hung_task_detect_count.

Linux 6.13 or newer with CONFIG_DETECT_HUNG_TASK. Format: Documentation/admin-guide/sysctl/kernel.rst of the kernel.
"""

from collections.abc import Iterator

from exporters.collector import Family, counter
from exporters.host import Host
from exporters.readers.sysfs import needed

HUNG = counter("node_kernel_hung_tasks_total", "Tasks that were found hung since the machine booted.")


class KernelHung:
    """Reads one file."""

    def __init__(self, host: Host) -> None:
        self._file = host.proc.keep("sys/kernel/hung_task_detect_count")

    def collect(self, now: float) -> Iterator[Family]:
        yield HUNG.single(needed(self._file))
