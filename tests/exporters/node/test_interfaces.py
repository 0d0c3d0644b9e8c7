"""Which devices are containers' own."""

import re

import pytest

from exporters.readers.interfaces import CONTAINERS, devices


@pytest.mark.parametrize(
    "name",
    [
        "veth5f3a1c2",
        "veth0",
        "vethwepl1a2b3c4",
        "cali0123456789a",
        "lxc0a1b2c3d4e5f",
        "lxc_health",
        "eni0123456789a",
        "vlan0123456789a",
        "gke0123456789a",
        "azv0123456789a",
        "azv768e8de",
        "0123456789abcde",
        "0123456789ab_h",
    ],
)
def test_a_containers_device_is_left_out(name: str) -> None:
    """As the makers of container networks name them."""
    assert not devices(None, CONTAINERS).keeps(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "lo",
            "eth0",
            "ens5",
            "enp3s0f0np0",
            "eno1",
            "eni1",
            "enP49p1s0f0",
            "wlan0",
            "bond0",
            "bond0.100",
            "vlan100",
            "team0",
        ),
        *("docker0", "br-0123456789ab", "cni0", "cbr0", "lxcbr0", "lxdbr0", "virbr0", "vnet0", "tap0123456", "tun0"),
        *(
            "flannel.1",
            "cilium_host",
            "cilium_net",
            "cilium_vxlan",
            "vxlan.calico",
            "tunl0",
            "kube-ipvs0",
            "nodelocaldns",
        ),
        *("ovn-k8s-mp0", "genev_sys_6081", "ovs-system", "br-int", "ovn0", "dummy0", "wg0", "ib0", "my-veth"),
        *("tailscale0", "ztabcdef0123", "enx001122334455", "cni-podman0", "docker_gwbridge", "cafe0", "azvnet0"),
    ],
)
def test_a_machines_own_device_stays(name: str) -> None:
    """Also the bridges and tunnels of container networks: there is one of each."""
    assert devices(None, CONTAINERS).keeps(name)


def test_a_pattern_of_the_operator_replaces_ours() -> None:
    """To exclude with an empty pattern, or with one that matches no name, publishes all."""
    assert devices(None, re.compile("")).keeps("veth0")
    assert devices(None, re.compile("^$")).keeps("veth0")
    assert devices(re.compile("^veth"), CONTAINERS).keeps("veth0")
    assert not devices(re.compile("^veth"), CONTAINERS).keeps("eth0")
    assert not devices(None, re.compile("^eth")).keeps("eth0")


def test_both_patterns_are_too_many() -> None:
    """To include and to exclude at once is refused."""
    with pytest.raises(ValueError, match="device-include and device-exclude"):
        devices(re.compile("^eth"), re.compile("^veth"))
