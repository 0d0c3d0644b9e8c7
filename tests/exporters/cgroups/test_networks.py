"""Whose networks have series, where an operator leaves some cgroups out."""

import re
from pathlib import Path

from exporters.cgroups.readers.networks import Networks
from exporters.cgroups.tree.choice import Choice
from exporters.cgroups.tree.inventory import Inventory
from exporters.pods.cgroup_path import Place
from exporters.pods.identity import Identity, Source
from exporters.pods.resolver import Resolver
from exporters.testing import FakeMachine
from tests.exporters.cgroups.test_network import CONTAINER, PAUSE, POD, members, process
from tests.exporters.machines import APP, NOW, SANDBOX

ALONE = f"docker/{APP}"


class Names(Source):
    """Who is who, as a runtime would say."""

    def identity(self, place: Place, now: float) -> Identity:
        return Identity("shop", "web-0", "app" if place.container_id else "", sandbox=place.container_id == SANDBOX)


def networks(machine: FakeMachine, choice: Choice | None = None) -> list[tuple[str, list[bytes]]]:
    """The `id` of each network, and its files."""
    host = machine.host
    found = Networks(Inventory(host, Resolver([Names()]), choice), host.proc, "net/dev", "net/tcp6").read(NOW)
    return [(re.findall('id="([^"]*)"', labels[0])[0], contents) for labels, contents in found]


def test_a_sandbox_without_series_tells_the_network_of_its_pod(tmp_path: Path) -> None:
    """While an image is pulled, or a container crashes again and again, it alone has a process."""
    machine = FakeMachine(tmp_path)
    members(machine, POD)
    members(machine, CONTAINER)
    members(machine, PAUSE, 40)
    process(machine, 40, "devices")
    assert (f"/{POD}", [b"devices", b""]) in networks(machine)


def test_a_pod_that_is_left_out_is_not_read(tmp_path: Path) -> None:
    """Neither are its containers."""
    machine = FakeMachine(tmp_path)
    members(machine, POD)
    members(machine, CONTAINER, 40)
    members(machine, ALONE, 41)
    for pid in (40, 41):
        process(machine, pid, "devices")
    for choice, path in ((Choice(exclude=re.compile("kubepods")), ALONE), (Choice(exclude=re.compile("docker")), POD)):
        assert [who for who, _ in networks(machine, choice)] == ["/", f"/{path}"]


def test_two_pods_that_are_called_the_same_have_one_series(tmp_path: Path) -> None:
    """Without the label `id`, and without a cgroup of the pod that would say so."""
    machine = FakeMachine(tmp_path)
    for pid, uid in ((40, "1" * 32), (41, "2" * 32)):
        members(machine, f"kubepods-pod{uid}.slice:cri-containerd:{str(pid) * 32}", pid)
        process(machine, pid, "devices")
    host = machine.host
    inventory = Inventory(host, Resolver([Names()]), Choice(labels=("namespace",)))
    assert [labels for labels, _ in Networks(inventory, host.proc, "net/dev").read(NOW)] == [('namespace="shop"',)]
