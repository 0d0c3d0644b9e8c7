"""Which network devices are containers' own, and so left out unless an operator says otherwise.

A machine that runs containers has one device for each of them, with a name made at random: series that come and
go with every pod, which its users complain of more than of anything else in node_exporter. The traffic of a pod
belongs to what reports pods. Devices that a machine has one of, or one a network, stay: docker0, cni0, br-…,
cilium_host, flannel.1, vxlan.calico, tunl0, ovn-k8s-mp0, genev_sys_6081; so do those of virtual machines (vnet…, tap…).
"""

import re
from dataclasses import dataclass

from exporters.options import NameFilter, Pattern, either, option

MAKERS: tuple[tuple[str, str], ...] = (
    ("Docker, Podman, LXC, the CNI plug-ins bridge and ptp (containerd, CRI-O, Flannel, GKE), Weave Net", r"veth.*"),
    ("Calico, and Terway after it", r"cali[0-9a-f]{11}"),
    ("Cilium; lxcbr0, the bridge of LXC, stays", r"lxc(_health|[0-9a-f]{5,12})"),
    ("the VPC CNI of AWS: pods, and pods with security groups of their own", r"(eni|vlan)[0-9a-f]{11}"),
    ("dataplane V2 of GKE", r"gke[0-9a-f]{11}"),
    ("Azure CNI: a hash, or the first 7 digits of the container's id", r"azv([0-9a-f]{7}|[0-9a-f]{11})"),
    ("OVN-Kubernetes: the first 15 digits of the sandbox's id", r"[0-9a-f]{15}"),
    ("Kube-OVN: the first 12 digits of the sandbox's id", r"[0-9a-f]{12}_h"),
)
"""Who makes such devices, and what they name them."""

CONTAINERS: Pattern = re.compile("^(" + "|".join(pattern for _, pattern in MAKERS) + ")$")
"""The names of containers' devices: the default of every `device-exclude`."""

EXCLUDE_HELP = "Network devices to leave out; those of containers by default, none if empty."
INCLUDE_HELP = "Network devices to publish, and no others."


def devices(include: Pattern | None, exclude: Pattern | None) -> NameFilter:
    """The filter of a collector's flags device-include and device-exclude; either one, given, replaces CONTAINERS.

    Raises ValueError when both were given.
    """
    return either(include, exclude, CONTAINERS, "device")


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """Which devices are published."""

    device_include: Pattern | None = option(None, INCLUDE_HELP)
    device_exclude: Pattern | None = option(CONTAINERS, EXCLUDE_HELP)

    def __post_init__(self) -> None:
        _ = self.devices

    @property
    def devices(self) -> NameFilter:
        """The filter of devices. Raises ValueError."""
        return devices(self.device_include, self.device_exclude)
