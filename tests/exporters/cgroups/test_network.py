"""Traffic of pods and containers: whose it is, through which process, and what is left out."""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from exporters.app import cgroup_group
from exporters.cgroups.network import counted
from exporters.collector import Collector
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import APP, NOW, SANDBOX, UID, log_links

POD = f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice"
CONTAINER = f"{POD}/cri-containerd-{APP}.scope"
PAUSE = f"{POD}/cri-containerd-{SANDBOX}.scope"
HEADER = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier "
    "compressed\n"
)
WORKLOAD = 'workload="web",workload_kind="StatefulSet"'
"""Told by the name web-0."""

RECEIVED = "container_network_receive_bytes_total"
WHO = re.compile(r'(?:id|interface)="([^"]*)"')


def line(interface: str, first: int = 1) -> str:
    """An interface whose numbers count on from the first one."""
    return f"{interface:>6}: {' '.join(str(first + column) for column in range(16))}\n"


def net_dev(*interfaces: str, first: int = 1) -> str:
    """The table of a network, with lo."""
    return HEADER + line("lo", 9000) + "".join(line(interface, first) for interface in interfaces)


def process(machine: FakeMachine, pid: int, table: str, started: int = 0) -> None:
    """A process in a network of its own."""
    machine.write(f"proc/{pid}/net/dev", table)
    machine.write(f"proc/{pid}/stat", f"{pid} (a) name) S {' '.join(['0'] * 18)} {started or pid} 0 0\n")


def on_host(machine: FakeMachine, pid: int) -> None:
    """A process in the network of process 1."""
    folder = machine.folder / f"proc/{pid}/net"
    folder.mkdir(parents=True)
    os.link(machine.folder / "proc/1/net/dev", folder / "dev")


def members(machine: FakeMachine, path: str, *pids: int, version: str = "v2") -> None:
    """A cgroup and the processes in it."""
    content = "".join(f"{pid}\n" for pid in pids)
    if version == "v1":
        machine.write(f"cgroup/cpu,cpuacct/{path}/cgroup.procs", content)
        return
    machine.write("cgroup/cgroup.controllers", "cpu memory\n")
    machine.write(f"cgroup/{path}/cgroup.procs", content)


def collector_of(machine: FakeMachine) -> Collector:
    return cgroup_group(machine.host, {}).collectors["cgroup.network"]


def published(collector: Collector, now: float = NOW) -> dict[str, float]:
    return samples_in(exposed(collector, now))


def received(collector: Collector, now: float = NOW) -> dict[str, float]:
    """Received bytes by the id of the cgroup and the interface."""
    found = published(collector, now).items()
    return {" ".join(WHO.findall(series)): value for series, value in found if series.startswith(RECEIVED)}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_pod_has_its_traffic_once(tmp_path: Path, version: str) -> None:
    """Under the labels of the pod's cgroup, whatever containers it has and whichever of their processes is read."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    members(machine, POD, 7, version=version)
    members(machine, CONTAINER, 41, 42, version=version)
    members(machine, PAUSE, 40, version=version)
    process(machine, 7, net_dev("conmon"))
    for pid in (40, 41, 42):
        process(machine, pid, net_dev("eth0"))
    who = f'container="",id="/{POD}",image="",name="",namespace="shop",pod="web-0",{WORKLOAD},interface="eth0"'
    assert published(collector_of(machine)) == {
        f"container_network_receive_bytes_total{{{who}}}": 1,
        f"container_network_receive_packets_total{{{who}}}": 2,
        f"container_network_receive_errors_total{{{who}}}": 3,
        f"container_network_receive_packets_dropped_total{{{who}}}": 4,
        f"container_network_transmit_bytes_total{{{who}}}": 9,
        f"container_network_transmit_packets_total{{{who}}}": 10,
        f"container_network_transmit_errors_total{{{who}}}": 11,
        f"container_network_transmit_packets_dropped_total{{{who}}}": 12,
    }


def test_a_container_without_a_pod_has_its_own(tmp_path: Path) -> None:
    """Plain Docker and Podman: all of the container's labels."""
    machine = FakeMachine(tmp_path)
    members(machine, f"system.slice/docker-{APP}.scope", 40)
    process(machine, 40, net_dev("eth0"))
    who = f'id="/system.slice/docker-{APP}.scope",image="",name="{APP}",namespace="",pod="",interface="eth0"'
    assert published(collector_of(machine))[f'{RECEIVED}{{container="",{who}}}'] == 1


def test_a_pod_without_a_cgroup_of_its_own_borrows_an_id(tmp_path: Path) -> None:
    """A kubelet inside a container: no folder stands for the pod, and still it is published once."""
    machine = FakeMachine(tmp_path)
    log_links(machine)
    pod = f"kubepods-burstable-pod{UID.replace('-', '_')}.slice"
    for container, pid in ((SANDBOX, 40), (APP, 41)):
        members(machine, f"{pod}:cri-containerd:{container}", pid)
        process(machine, pid, net_dev("eth0"))
    who = f'container="",id="/{pod}:cri-containerd:{SANDBOX}",image="",name="",namespace="shop",pod="web-0"'
    found = [series for series in published(collector_of(machine)) if series.startswith(RECEIVED)]
    assert found == [f'{RECEIVED}{{{who},{WORKLOAD},interface="eth0"}}']


def test_the_network_of_the_host_is_the_roots_only(tmp_path: Path) -> None:
    """Pods with hostNetwork are left out, the machine's own interfaces stand at `/`."""
    machine = FakeMachine(tmp_path)
    process(machine, 1, net_dev("eth0", "veth1a2b", "docker0", "nerdctl0", "cni0"))
    on_host(machine, 40)
    members(machine, CONTAINER, 40)
    members(machine, f"docker/{APP}", 40)
    assert received(collector_of(machine)) == {"/ eth0": 1, "/ cni0": 1}


def test_a_container_that_is_being_made_is_on_the_host_for_a_moment(tmp_path: Path) -> None:
    """Runtimes put the process into the cgroup before they give it a network: asked again at each scrape."""
    machine = FakeMachine(tmp_path)
    process(machine, 1, net_dev("eth0"))
    on_host(machine, 40)
    members(machine, CONTAINER, 40)
    members(machine, POD)
    collector = collector_of(machine)
    assert received(collector, NOW) == {"/ eth0": 1}
    machine.remove("proc/40/net/dev")
    process(machine, 40, net_dev("eth0", first=50))
    assert received(collector, NOW + 1) == {"/ eth0": 1, f"/{POD} eth0": 50}


def test_without_the_right_to_see_process_1_its_own_network_is_the_machines(tmp_path: Path) -> None:
    """Under hidepid nothing tells the host's network apart, and what can be read is published."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/net/dev", net_dev("eth0", first=30))
    members(machine, f"docker/{APP}", 40)
    process(machine, 40, net_dev("eth0"))
    assert received(collector_of(machine)) == {"/ eth0": 30, f"/docker/{APP} eth0": 1}


def test_the_process_is_chosen_once(tmp_path: Path) -> None:
    """Its table stays open, and it may end: the network is the pod's."""
    machine = FakeMachine(tmp_path)
    members(machine, POD)
    members(machine, CONTAINER, 40, 41)
    for pid in (40, 41):
        process(machine, pid, net_dev("eth0", first=pid))
    collector = collector_of(machine)
    assert received(collector, NOW) == {f"/{POD} eth0": 40}
    machine.write("proc/40/net/dev", net_dev("eth0", first=400))
    assert received(collector, NOW + 1) == {f"/{POD} eth0": 400}


def test_another_process_is_chosen_when_that_one_has_ended(tmp_path: Path) -> None:
    """At the very next scrape."""
    machine = FakeMachine(tmp_path)
    members(machine, POD)
    members(machine, CONTAINER, 40)
    process(machine, 40, net_dev("eth0", first=40))
    collector = collector_of(machine)
    assert received(collector, NOW) == {f"/{POD} eth0": 40}
    machine.remove("proc/40")
    process(machine, 41, net_dev("eth0", first=41))
    members(machine, CONTAINER, 41)
    assert received(collector, NOW + 1) == {f"/{POD} eth0": 41}


def test_a_process_id_that_is_used_again_is_another_process(tmp_path: Path) -> None:
    """Its new owner is in another container: nothing of it is ever published here."""
    machine = FakeMachine(tmp_path)
    members(machine, POD)
    members(machine, CONTAINER, 40)
    process(machine, 40, net_dev("eth0", first=40))
    collector = collector_of(machine)
    assert received(collector, NOW) == {f"/{POD} eth0": 40}
    (machine.folder / "proc/40").rename(machine.folder / "gone")
    process(machine, 40, net_dev("eth0", first=666))
    members(machine, CONTAINER)
    assert received(collector, NOW + 1) == {}


def test_a_pod_whose_containers_were_all_made_anew_has_a_new_network(tmp_path: Path) -> None:
    """The sandbox was changed: the pod's cgroup is the same."""
    machine = FakeMachine(tmp_path)
    members(machine, POD)
    members(machine, CONTAINER, 40)
    process(machine, 40, net_dev("eth0", first=40))
    collector = collector_of(machine)
    assert received(collector, NOW) == {f"/{POD} eth0": 40}
    machine.remove(f"cgroup/{CONTAINER}")
    members(machine, PAUSE, 41)
    process(machine, 41, net_dev("eth0", first=41))
    assert received(collector, NOW + 1) == {f"/{POD} eth0": 41}


def open_files() -> Iterable[str]:
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the folder that is listed right now
            yield str(link.readlink())


def test_no_file_of_a_pod_stays_open(tmp_path: Path) -> None:
    """An open table would keep the network of the pod alive, with its devices."""
    machine = FakeMachine(tmp_path)
    members(machine, CONTAINER, 40)
    process(machine, 40, net_dev("eth0"))
    collector = collector_of(machine)
    assert received(collector, NOW)
    assert str(tmp_path / "proc/40/net/dev") not in set(open_files())


def test_the_oldest_process_tells_the_network(tmp_path: Path) -> None:
    """A browser's sandbox or a Docker inside has networks of its own; process ids start anew at the highest."""
    machine = FakeMachine(tmp_path)
    members(machine, f"docker/{APP}", 40, 30_000)
    process(machine, 40, net_dev("inner"), started=200)
    process(machine, 30_000, net_dev("eth0"), started=100)
    assert received(collector_of(machine)) == {f"/docker/{APP} eth0": 1}


def test_processes_below_the_container_are_its_own(tmp_path: Path) -> None:
    """crun and a systemd inside leave the container's own cgroup empty."""
    machine = FakeMachine(tmp_path)
    members(machine, f"docker/{APP}")
    members(machine, f"docker/{APP}/init.scope", 40)
    process(machine, 40, net_dev("eth0"))
    assert received(collector_of(machine)) == {f"/docker/{APP} eth0": 1}


@pytest.mark.parametrize(
    ("procs", "table"),
    [
        ("", None),
        ("40\n", None),
        ("0\n0\n", net_dev("eth0")),
        (f"rubbish\n-40\n{'9' * 5000}\n\n", net_dev("eth0")),
        ("40\n", ""),
        ("40\n", net_dev()),
    ],
)
def test_without_a_process_or_interface_there_is_no_series(tmp_path: Path, procs: str, table: str | None) -> None:
    """Empty cgroups, processes that end while they are read, ids that mean nothing: never a 0, never an error."""
    machine = FakeMachine(tmp_path)
    members(machine, f"docker/{APP}")
    machine.write(f"cgroup/docker/{APP}/cgroup.procs", procs)
    if table is not None:
        process(machine, 40, table)
    collector = collector_of(machine)
    assert received(collector, NOW) == {}
    assert received(collector, NOW + 1) == {}


def test_a_process_that_comes_late_is_found(tmp_path: Path) -> None:
    """What was tried in vain is tried again when there are other processes."""
    machine = FakeMachine(tmp_path)
    members(machine, f"docker/{APP}", 40)
    collector = collector_of(machine)
    assert received(collector, NOW) == {}
    process(machine, 41, net_dev("eth0"))
    members(machine, f"docker/{APP}", 40, 41)
    assert received(collector, NOW + 1) == {f"/docker/{APP} eth0": 1}


@pytest.mark.parametrize(
    "text",
    [
        "eth1: 1 2 3\n",
        "eth1: a 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        "eth1: -1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        f"eth1: {2**64} 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        f"eth1: {'1' * 5000} 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        "eth1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        "\n",
        line("eth0"),
    ],
)
def test_a_line_that_makes_no_sense_costs_no_other(text: str) -> None:
    """One interface that can't be read is left out; one that stands there twice counts once."""
    assert counted((HEADER + text + line("eth0")).encode()) == {"eth0": [1, 2, 3, 4, 9, 10, 11, 12]}


def test_names_may_have_colons_and_the_numbers_may_follow_at_once() -> None:
    """As with aliases of old, and wide numbers."""
    table = f"{HEADER}eth0:0:{' '.join('5' * 16)}\n"
    assert counted(table.encode()) == {"eth0:0": [5] * 8}


def test_a_table_of_many_interfaces_is_read_to_its_end(tmp_path: Path) -> None:
    """More than the kernel hands out at once."""
    machine = FakeMachine(tmp_path)
    members(machine, f"docker/{APP}", 40)
    process(machine, 40, net_dev(*(f"eth{number}" for number in range(400))))
    collector = collector_of(machine)
    for scrape in range(2):
        assert len(received(collector, NOW + scrape)) == 400
