"""Whether SELinux is on, and how it is set, from selinuxfs and /etc/selinux/config, see selinux(8).

The file system is there only where SELinux is on. Modes: 1 enforces, 0 is permissive, -1 is off or not known.
"""

from collections.abc import Iterator

from exporters.collector import Family, gauge, optional
from exporters.host import Host, Unreadable
from exporters.readers.sysfs import number

ENABLED = gauge("node_selinux_enabled", "Whether SELinux is on.")
CONFIGURED = gauge(
    "node_selinux_config_mode", "Mode of SELinux after the next boot: 1 enforcing, 0 permissive, -1 off."
)
CURRENT = gauge("node_selinux_current_mode", "Mode of SELinux now: 1 enforcing, 0 permissive, -1 unknown.")

MODES = {"enforcing": 1, "permissive": 0}
OFF = -1
NO_POLICY = "kernel"
"""The label of every process while no policy is loaded."""


class SeLinux:
    """Reads one file where SELinux is off, three where it is on."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._enforce = host.sys.keep("fs/selinux/enforce")
        self._label = host.proc.keep("self/attr/current")

    def collect(self, now: float) -> Iterator[Family]:
        enforce = self._enforce.read_record()
        if isinstance(enforce, Unreadable) or optional(self._label.read_record()).strip("\0") == NO_POLICY:
            yield ENABLED.single(0)
            return
        yield ENABLED.single(1)
        yield CONFIGURED.single(configured(optional(self._host.root.read("etc/selinux/config"))))
        mode = number(enforce)
        yield CURRENT.single(OFF if mode is None else mode)


def configured(text: str) -> int:
    """The mode that /etc/selinux/config asks for, by its first line `SELINUX=…`, selinux_config(5)."""
    for line in text.splitlines():
        key, _, value = line.strip().partition("=")
        if key == "SELINUX":
            return MODES.get(value.strip('"'), OFF)
    return OFF
