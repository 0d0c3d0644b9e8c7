"""A pod on this kernel: a process in a network of its own, in a cgroup that looks like a container of a pod, sends a
known number of bytes. Needs root, ip(8), veth, and cgroupfs that may be written to.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.collector import Collector
from exporters.host import Host, Roots
from exporters.testing import exposed, samples_in

pytestmark = pytest.mark.stack

CGROUPS = Path("/sys/fs/cgroup")
POD = "burstable/pod4a163a05-439d-484b-8e53-2968bc15824f"
OTHER = "burstable/pod4a163a05-439d-484b-8e53-2968bc158250"
CONTAINER = f"{POD}/{'a' * 64}"
ON_HOST = f"{OTHER}/{'b' * 64}"
FRAMES = 500
BYTES = 1000

MEMBER = """
import socket, subprocess, sys
with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as file:  # of this network only: nobody else sends
    file.write("1")
subprocess.run("ip link add eth0 type veth peer name peer0 && ip link add veth0 type veth peer name veth1", shell=True,
               check=True)
for device in ("lo", "eth0", "peer0", "veth0", "veth1"):
    subprocess.run(["ip", "link", "set", device, "up"], check=True)
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(("eth0", 0))
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        sender.send(bytes(12) + bytes([8, 0]) + bytes(int(sys.argv[1]) - 14))
    print("sent", flush=True)
"""

AS_NOBODY = """
import os
from exporters.app import cgroup_group
from exporters.host import Host, Roots
from exporters.testing import exposed

os.setgroups([])  # not before all is imported: a checkout may lie where nobody has access
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
print(exposed(cgroup_group(Host(Roots()), {}).collectors["cgroup.network"]))
"""


def hierarchy() -> Path:
    """Where a cgroup can be made that the exporter finds: v2, or the cpu controller of v1."""
    return CGROUPS if (CGROUPS / "cgroup.controllers").exists() else CGROUPS / "cpu"


@pytest.fixture
def pods() -> Iterator[Path]:
    """The folder of our cgroups, with two containers in two pods."""
    top = hierarchy() / f"fenghuo-{os.getpid()}-kubepods"
    for path in (CONTAINER, ON_HOST):
        (top / path).mkdir(parents=True)
    yield top
    for folder, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(FileNotFoundError):
            Path(folder).rmdir()


@contextlib.contextmanager
def running(cgroup: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A process in a cgroup; it has ended, and left the cgroup, when this is over."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        (cgroup / "cgroup.procs").write_text(str(process.pid))
        yield process
    finally:
        process.kill()
        process.communicate()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def send(process: subprocess.Popen[str], frames: int) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{frames}\n")
    process.stdin.flush()
    assert answer(process) == "sent"


def of_ours(collector: Collector, pods: Path) -> dict[tuple[str, str, str], float]:
    """(path below our cgroups, interface, what) → value."""
    found = {}
    for series, value in samples_in(exposed(collector, time.time())).items():
        name, _, labels = series.partition("{")
        words = labels.split('"')
        path, interface = words[words.index(",id=") + 1], words[words.index(",interface=") + 1]
        ours = f"/{pods.name}/"
        if path.startswith(ours):
            what = name.removeprefix("container_network_").removesuffix("_total")
            found[path.removeprefix(ours), interface, what] = value
    return found


def test_a_pod_is_told_what_it_sent(pods: Path) -> None:
    """To the byte, once for the pod; neither lo, nor veth, nor a pod on the host's network; nothing when it is gone."""
    collector = cgroup_group(Host(Roots()), {}).collectors["cgroup.network"]
    member = ("unshare", "--net", sys.executable, "-c", MEMBER, str(BYTES))
    with (
        running(pods / CONTAINER, *member) as process,
        running(pods / ON_HOST, "cat") as _,
    ):
        assert answer(process) == "ready"
        before = of_ours(collector, pods)
        send(process, FRAMES)
        after = of_ours(collector, pods)
        assert {(path, interface) for path, interface, _ in after} == {(POD, "eth0"), (POD, "peer0")}
        grown = {key: value - before[key] for key, value in after.items()}
        assert grown[POD, "eth0", "transmit_bytes"] == pytest.approx(FRAMES * BYTES, rel=0.02)
        assert grown[POD, "eth0", "transmit_packets"] == pytest.approx(FRAMES, rel=0.02)
        assert grown[POD, "peer0", "receive_bytes"] == pytest.approx(FRAMES * BYTES, rel=0.02)
        assert grown[POD, "eth0", "receive_bytes"] == pytest.approx(0, abs=0.02 * FRAMES * BYTES)
        assert f"/proc/{process.pid}/net/dev" not in set(open_files())
    (pods / CONTAINER).rmdir()
    assert of_ours(collector, pods) == {}


def test_anybody_may_see_it(pods: Path) -> None:
    """A user without any capability reads the same, and tells the host's network apart."""
    with (
        running(pods / CONTAINER, "unshare", "--net", sys.executable, "-c", MEMBER, str(BYTES)) as process,
        running(pods / ON_HOST, "cat") as _,
    ):
        assert answer(process) == "ready"
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 0, done.stderr
    assert f"/{pods.name}/{POD}" in done.stdout
    assert f"/{pods.name}/{OTHER}" not in done.stdout


def open_files() -> Iterator[str]:
    """What this process has open. Procfs forgets the name of a net/dev as soon as it is open."""
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the folder that is listed right now
            yield str(link.readlink()).removesuffix(" (deleted)")
