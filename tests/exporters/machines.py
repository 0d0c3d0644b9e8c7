"""Machines for the exporters' tests: the recorded trees, and pods as each runtime lays them out."""

import atexit
import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from exporters import catalog
from exporters.app import cgroup_group, node_group
from exporters.collector import Collector, Family, NoData
from exporters.testing import FakeMachine, text_of, unpack_ttar
from tests.exporters.cgroups import trees

FIXTURES = Path(__file__).parents[1] / "fixtures" / "exporters"
NOW = 1_700_000_000.0

UID = "4a163a05-439d-484b-8e53-2968bc15824f"
APP = "a" * 64
SANDBOX = "5" * 64


@functools.cache
def unpacked() -> Path:
    """The recorded machine as folders `proc`, `sys`, `udev` and `root`, unpacked once; not to be written to."""
    folder = Path(tempfile.mkdtemp(prefix="recorded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for archive in ("sys", "udev"):
        unpack_ttar((FIXTURES / "node" / f"{archive}.ttar").read_text(encoding="utf-8"), folder)
    for tree in ("proc", "root"):
        shutil.copytree(FIXTURES / "node" / tree, folder / tree, symlinks=True)
    return folder


def recorded_machine(folder: Path, cgroups: str = "v2") -> FakeMachine:
    """The recorded machine, with one of the recorded cgroup trees."""
    machine = FakeMachine(folder)
    for source, path in (("proc", "proc"), ("sys", "sys"), ("udev/data", "udev"), ("root", "root")):
        machine.copy(unpacked() / source, path)
    machine.copy(FIXTURES / "cgroups" / cgroups, "cgroup")
    machine.write("root/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    machine.write("proc/sys/kernel/random/boot_id", "6b1d0b2e-9b5c-4d8e-8f6a-2f0c9c1f7a11\n")
    opened(machine, 10, ["/dev/null", "pipe:[40261]", "socket:[40262]"], soft_limit="1024")
    opened(machine, 11, ["socket:[40263]"])
    for size in ("2048", "1048576"):
        machine.write(f"sys/kernel/mm/hugepages/hugepages-{size}kB/nr_hugepages", "0\n")
    return machine


def opened(machine: FakeMachine, process: int, targets: Iterable[str], *, soft_limit: str = "65536") -> None:
    """A process's descriptors, by what they lead to, and how many it may have."""
    folder = machine.folder / f"proc/{process}/fd"
    folder.mkdir(parents=True)
    for number, target in enumerate(targets):
        (folder / str(number)).symlink_to(target)
    machine.write(
        f"proc/{process}/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max processes             62898                62898                processes \n"
        f"Max open files            {soft_limit:<20} 1048576              files     \n"
        "Max locked memory         65536                65536                bytes     \n",
    )


def golden_texts(folder: Path) -> Mapping[str, str]:
    """What is published for the recorded trees, a collector a text, and for the machines of each runtime, by the name
    of the golden file.
    """
    node = node_group(recorded_machine(folder / "node").host, dict.fromkeys(catalog.NODE, True))
    texts = {f"node_{name}": published(collector) for name, collector in node.collectors.items()}
    on = {**dict.fromkeys(catalog.CGROUP, True), "cgroup.lifetime": False}
    for version in ("v1", "v2"):
        group = cgroup_group(recorded_machine(folder / version, version).host, on)
        for name, collector in group.collectors.items():
            texts[f"{version}_{name.replace('.', '_')}"] = published(collector)
    for name, build in trees.MACHINES.items():
        machine = FakeMachine(folder / name)
        build(machine)
        texts[name] = "".join(map(published, cgroup_group(machine.host, {}).collectors.values()))
    # rapl tells its zones apart by their paths, and the machine is in another folder each time
    return {name: text.replace(str(folder / "node"), "") for name, text in texts.items() if text}


def published(collector: Collector) -> str:
    """The exposition of a collector; empty when the recorded machine has no such thing."""
    families: list[Family] = []
    with contextlib.suppress(NoData):
        families += collector.collect(NOW)
    return text_of(families)


def v2_cgroup(machine: FakeMachine, path: str, *, quota: str = "50000 100000", oom_kills: int = 0) -> None:
    """A cgroup of v2 that has used 12.5 s of CPU and holds 300 bytes, 100 of them unused file cache."""
    machine.write("cgroup/cgroup.controllers", "cpu memory\n")
    machine.write_all(
        {
            "cpu.stat": "usage_usec 12500000\nuser_usec 10000000\nsystem_usec 2500000\n"
            "nr_periods 40\nnr_throttled 10\nthrottled_usec 3000000\n",
            "cpu.max": f"{quota}\n",
            "cpu.weight": "100\n",
            "memory.current": "300\n",
            "memory.stat": "anon 150\nfile 140\nkernel 10\nfile_mapped 20\ninactive_file 100\nactive_file 40\n"
            "pgfault 7\npgmajfault 1\n",
            "memory.max": "1000\n",
            "memory.swap.max": "max\n",
            "memory.min": "0\n",
            "memory.swap.current": "0\n",
            "memory.events": f"low 0\nhigh 0\nmax 2\noom 1\noom_kill {oom_kills}\n",
        },
        f"cgroup/{path}" if path else "cgroup",
    )


def log_links(machine: FakeMachine) -> None:
    """The log folders of pod web-0 in namespace shop, whose container is called app."""
    machine.write(f"root/var/log/containers/web-0_shop_app-{APP}.log", "")
    machine.write(f"root/var/log/pods/shop_web-0_{UID}/app/0.log", "")
