"""What rights container metrics take: root without a capability sees all, as the manifests run it, and so does any user
with CAP_DAC_READ_SEARCH, as the systemd unit can. Needs root, setpriv(1), and cgroupfs that may be written to.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.exporters.running import get
from tests.stack.cgroups import container_path, make, own_pods, told, working_in

SOMEBODY = """
import os, socket
held = socket.socket()
held.set_inheritable(True)
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
os.execv("/bin/sh", ["sh", "-c", "echo ready; exec cat"])
"""
"""A program of another user: whoever changes its user without one keeps root's /proc/<pid>."""

AS_ROOT = ("--inh-caps=-all", "--ambient-caps=-all")
AS_NOBODY = ("--reuid=65534", "--regid=65534", "--clear-groups")
READ = "cap_dac_read_search"


@dataclass(frozen=True)
class Node:
    """Containers with processes of a user of their own, and names in folders that are root's alone."""

    top: str
    root: Path

    def seen_by(self, *rights: str, module: str = "exporters") -> set[str]:
        """The series of these containers that an exporter with these rights of setpriv(1) publishes."""
        flags = [f"--path.rootfs={self.root}", f"--cgroup.include=^{self.top}", "--collector.cgroup.descriptors"]
        serving = ["--collect=cgroup", "--web.listen-address=127.0.0.1:0", "--log.format=json"]
        command = ["setpriv", *rights, sys.executable, "-m", module, *serving, *flags]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                address = json.loads(process.stderr.readline())["url"]
                text = get(address)[2]
            finally:
                process.kill()
        series = (line.rpartition(" ")[0] for line in text.splitlines() if self.top in line)
        return {one for one in series if not one.startswith("container_last_seen")}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A container of a pod and one of Docker."""
    root = tmp_path_factory.mktemp("root")
    with own_pods() as top:
        of_pod, alone = container_path(top, 1, 1), f"{top}/docker/{'d' * 64}"
        annotations = {
            "container-type": "container",
            "container-name": "app",
            "image-name": "registry.example.org/app:1",
        }
        annotations |= {"sandbox-name": "web-0", "sandbox-namespace": "shop"}
        bundle = {"annotations": {f"io.kubernetes.cri.{key}": text for key, text in annotations.items()}}
        task = "run/containerd/io.containerd.runtime.v2.task/k8s.io"
        _write(root, f"{task}/{of_pod.rpartition('/')[2]}/config.json", bundle)
        _write(
            root, f"var/lib/docker/containers/{'d' * 64}/config.v2.json", {"Name": "/db", "Config": {"Image": "db:1"}}
        )
        for path in (of_pod, alone):
            make(path)
        with working_in(of_pod, SOMEBODY) as one, working_in(alone, SOMEBODY) as other:
            assert (told(one), told(other)) == ("ready", "ready")
            yield Node(top, root)


def _write(root: Path, path: str, content: object) -> None:
    """A file and its folders for root's eyes only."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
    file.chmod(0o600)
    for folder in file.parents:
        if folder.is_relative_to(root) and folder != root:
            folder.chmod(0o700)


def names(series: set[str]) -> set[tuple[str, str]]:
    """Pod and image, or name and image, of all series that have an image."""
    found = (re.search(r'image="([^"]+)",name="([^"]*)",namespace="[^"]*",pod="([^"]*)"', one) for one in series)
    return {(match[3] or match[2], match[1]) for match in found if match}


NAMED = {("web-0", "registry.example.org/app:1"), ("db", "db:1")}


def test_root_without_a_capability_misses_nothing_but_what_others_have_open(node: Node) -> None:
    """And that is on request; two capabilities tell it as well."""
    everything = node.seen_by(*AS_ROOT)
    assert names(everything) == NAMED
    lost = everything - node.seen_by(*AS_ROOT, "--bounding-set=-all")
    assert {one.partition("{")[0] for one in lost} == {"container_file_descriptors", "container_sockets"}
    assert everything == node.seen_by(*AS_ROOT, "--bounding-set=-all,+sys_ptrace,+dac_read_search")


def test_any_user_with_the_right_to_read_knows_the_names(node: Node) -> None:
    """systemd can give it to a user that is not root, Kubernetes can't."""
    rights = (*AS_NOBODY, f"--bounding-set=-all,+{READ[4:]}", f"--inh-caps=-all,+{READ[4:]}")
    assert names(node.seen_by(*rights, f"--ambient-caps=-all,+{READ[4:]}")) == NAMED


def test_a_user_without_it_knows_the_numbers_only(node: Node) -> None:
    """Processor time and memory are there for everybody, under paths."""
    series = node.seen_by(*AS_ROOT, module="tests.exporters.unprivileged")
    assert names(series) == set()
    assert any(one.startswith("container_cpu_usage_seconds_total") for one in series)
