"""Whole machines as the runtimes make them, in a `FakeMachine`: cgroupfs, /proc and the files of names.

Each function of MACHINES takes a machine and fills it. Nothing here is recorded: paths and names of files are those of
the runtimes, what is in the files follows from the path of the cgroup, the same at each run.
"""

from collections.abc import Callable, Mapping

from exporters.testing import FakeMachine
from tests.exporters.cgroups.trees.engines import docker_host, docker_v1, podman_host, slurm, systemd
from tests.exporters.cgroups.trees.kubernetes import (
    containerd,
    containerd_cgroupfs,
    containerd_misconfigured,
    crio,
    docker_pods,
    kind_host,
    kind_node,
)
from tests.exporters.cgroups.trees.names import PAUSE, id_of

__all__ = ["MACHINES", "PAUSE", "containerd", "id_of"]

MACHINES: Mapping[str, Callable[[FakeMachine], None]] = {
    "v2_containerd": containerd,
    "v2_containerd_misconfigured": containerd_misconfigured,
    "v2_crio": crio,
    "v2_cri_dockerd": docker_pods,
    "v2_docker": docker_host,
    "v2_podman": podman_host,
    "v2_kind_host": kind_host,
    "v2_kind_node": kind_node,
    "v2_systemd": systemd,
    "v1_containerd": containerd_cgroupfs,
    "v1_docker": docker_v1,
    "v1_slurm": slurm,
}
