"""The processes of a machine in /proc, as far as exporters read them: proc_pid_stat(5), proc_pid_net(5) and others.

Processes in one network have the one file net/dev, as they have in the kernel: that is how exporters tell networks
apart. Formats are those of a recorded /proc.
"""

import os
import zlib
from pathlib import Path

from exporters.testing import FakeMachine

RECORDED = Path(__file__).parents[3] / "fixtures" / "exporters" / "node" / "proc"

HOST = "host"
"""The network of the machine itself."""

_HEADER = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
    "compressed\n"
)
_LIMITS = (
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max processes             62898                62898                processes \n"
    "Max open files            {files:<20} 1048576              files     \n"
    "Max locked memory         65536                65536                bytes     \n"
)
_MOUNTS = (
    "29 1 8:4 / / rw,relatime shared:1 - ext4 /dev/sda4 rw,errors=remount-ro\n"
    "28 29 0:25 / /run rw,nosuid,relatime shared:5 - tmpfs tmpfs rw,size=1617716k,mode=755\n"
    "31 29 8:2 / /boot rw,relatime shared:20 - ext4 /dev/sda2 rw\n"
)
_FIRST = 1000


class Processes:
    """Those that were started so far. Process 1 is there from the start, on the host's network."""

    def __init__(self, machine: FakeMachine, processors: int = 8) -> None:
        self._machine = machine
        self._networks: dict[str, Path] = {}
        self._next = _FIRST
        _describe(machine, processors)
        self._write(1, "/init.scope", HOST)

    def start(self, cgroup: str, network: str) -> int:
        """The id of a new process in a cgroup and a network. Networks of the same name are one."""
        self._next += 1
        self._write(self._next, cgroup, network)
        return self._next

    def threads(self, pid: int) -> int:
        """How many threads a process has."""
        return 1 + pid % 3

    def _write(self, pid: int, cgroup: str, network: str) -> None:
        started = 10 * pid
        fields = f"{pid} (app {pid}) S 1 {pid} {pid} 0 -1 4194560 5120 0 30 0 {3 * pid} {pid} 0 0 20 0"
        self._machine.write_all(
            {
                "cgroup": f"0::{cgroup}\n",
                "comm": f"app {pid}\n",
                "schedstat": f"{1_000_003 * pid} {2_003 * pid} {7 * pid}\n",
                "stat": f"{fields} {self.threads(pid)} 0 {started} 23068672 2048 18446744073709551615 0 0 0 0 0\n",
            },
            f"proc/{pid}",
        )
        self._machine.write(f"proc/{pid}/limits", _LIMITS.format(files=1024 + pid))
        opened = self._machine.folder / f"proc/{pid}/fd"
        opened.mkdir()
        for number, leads_to in enumerate(("/dev/null", f"socket:[{pid}0]", f"pipe:[{pid}1]")):
            (opened / str(number)).symlink_to(leads_to)
        self._connect(self._machine.folder / f"proc/{pid}/net/dev", network)

    def _connect(self, table: Path, network: str) -> None:
        table.parent.mkdir(parents=True)
        if network in self._networks:
            os.link(self._networks[network], table)
        else:
            self._networks[network] = table
            table.write_text(net_dev(network), encoding="utf-8")


def net_dev(network: str) -> str:
    """The interfaces of a network: its traffic follows from its name. The host has the far ends of the others too."""
    names = ("lo", "eth0", "cni0", "docker0", "veth2f3a91c4") if network == HOST else ("lo", "eth0")
    return _HEADER + "".join(_interface(network, name) for name in names)


def _interface(network: str, name: str) -> str:
    share = 100 + zlib.crc32(f"{network}/{name}".encode()) % 900
    received, sent = share * 104_729, share * 15_485
    return (
        f"{name:>6}: {received:>7} {received // 811:>7} {share // 90:>4} {share // 40:>4} 0 0 0 {share // 7}"
        f" {sent:>7} {sent // 307:>7} {share // 95:>4} {share // 45:>4} 0 0 0 0\n"
    )


def _describe(machine: FakeMachine, processors: int) -> None:
    """What the machine says of itself: taken from the recorded one, with as many processors as asked for."""
    for name in ("meminfo", "diskstats", "pressure/cpu", "pressure/memory", "pressure/io"):
        machine.write(f"proc/{name}", (RECORDED / name).read_bytes())
    lines = (RECORDED / "stat").read_text(encoding="utf-8").splitlines(keepends=True)
    cpus = [f"cpu{number}" for number in range(processors)]
    machine.write(
        "proc/stat",
        "".join(line for line in lines if not line.startswith("cpu") or line.split()[0] in ("cpu", *cpus)),
    )
    machine.write_all({"1/mountinfo": _MOUNTS, "self/mountinfo": _MOUNTS}, "proc")
    machine.write("proc/sys/kernel/random/boot_id", "6b1d0b2e-9b5c-4d8e-8f6a-2f0c9c1f7a11\n")
    machine.write("root/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    machine.write("sys/class/dmi/id/product_uuid", "4c4c4544-0037-3110-8052-b4c04f4e3432\n")
    machine.write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n")
