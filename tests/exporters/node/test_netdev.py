"""Traffic of network devices: two readers of the same numbers, and what the options make of them."""

import errno
import re
from pathlib import Path

import pytest

from exporters.collector import NoData
from exporters.node.netdev import NetDev, Options
from exporters.readers.addresses import scope, shown
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters import netlink

HEADINGS = "Inter-|   Receive  |  Transmit\n face |bytes |bytes\n"
REFUSED = OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

COUNTERS = {
    "rx_bytes": 1,
    "rx_packets": 2,
    "rx_errors": 3,
    "rx_dropped": 4,
    "rx_missed_errors": 40,
    "rx_fifo_errors": 5,
    "rx_frame_errors": 6,
    "rx_length_errors": 60,
    "rx_over_errors": 600,
    "rx_crc_errors": 6000,
    "rx_compressed": 7,
    "multicast": 8,
    "tx_bytes": 9,
    "tx_packets": 10,
    "tx_errors": 11,
    "tx_dropped": 12,
    "tx_fifo_errors": 13,
    "collisions": 14,
    "tx_carrier_errors": 15,
    "tx_aborted_errors": 150,
    "tx_window_errors": 1500,
    "tx_heartbeat_errors": 15000,
    "tx_compressed": 16,
    "rx_nohandler": 17,
}
LINE = "1 2 3 44 5 6666 7 8 9 10 11 12 13 14 16665 16"
"""The same numbers in /proc/net/dev, where the kernel has added some of them up."""


def machine_with(folder: Path, *devices: str) -> tuple[FakeMachine, netlink.Kernel]:
    """A machine whose devices all have these numbers, for both readers."""
    machine = FakeMachine(folder)
    machine.write("proc/net/dev", HEADINGS + "".join(f"{device}: {LINE}\n" for device in devices))
    for device in devices:
        machine.write(f"sys/class/net/{device}/statistics/rx_nohandler", "17\n")
    kernel = netlink.Kernel(
        {
            netlink.GETSTATS: [netlink.stats(index, COUNTERS) for index, _ in enumerate(devices, 1)],
            netlink.GETLINK: [netlink.link(index, device) for index, device in enumerate(devices, 1)],
        }
    )
    machine.answer(netlink=kernel)
    return machine, kernel


def test_both_readers_publish_the_same(tmp_path: Path) -> None:
    """The kernel adds up for the file what rtnetlink tells one by one."""
    machine, _ = machine_with(tmp_path, "lo", "eth0")
    by_netlink = samples_in(exposed(NetDev(machine.host)))
    assert by_netlink == samples_in(exposed(NetDev(machine.host, Options(netlink=False))))
    assert len(by_netlink) == 34
    assert by_netlink['node_network_receive_drop_total{device="eth0"}'] == 44
    assert by_netlink['node_network_receive_frame_total{device="eth0"}'] == 6666
    assert by_netlink['node_network_transmit_carrier_total{device="eth0"}'] == 16665
    assert by_netlink['node_network_receive_nohandler_total{device="eth0"}'] == 17


def test_the_file_is_read_where_netlink_is_refused(tmp_path: Path) -> None:
    """A sandbox costs no sample, and netlink is asked again at the next scrape."""
    machine, kernel = machine_with(tmp_path, "eth0")
    answer = kernel.answers[netlink.GETSTATS]
    kernel.answers[netlink.GETSTATS] = REFUSED
    collector = NetDev(machine.host)
    text = exposed(collector)
    kernel.answers[netlink.GETSTATS] = answer
    machine.remove("proc/net/dev")
    assert exposed(collector) == text


def test_nobody_asks_over_netlink_where_the_operator_says_no(tmp_path: Path) -> None:
    """The flag goes both ways."""
    machine, kernel = machine_with(tmp_path, "eth0")
    exposed(NetDev(machine.host, Options(netlink=False)))
    assert kernel.asked == []


def test_detailed_metrics_tell_the_errors_apart(tmp_path: Path) -> None:
    """Each of the kernel's counters has a metric of its own, and none is a sum."""
    machine, _ = machine_with(tmp_path, "eth0")
    expected = {
        f'node_network_{name.replace("rx_", "receive_").replace("tx_", "transmit_")}_total{{device="eth0"}}': value
        for name, value in COUNTERS.items()
    }
    assert samples_in(exposed(NetDev(machine.host, Options(enable_detailed_metrics=True)))) == expected


def test_detailed_metrics_of_the_file_are_its_sums(tmp_path: Path) -> None:
    """It has no more than it has; two of the names are others."""
    machine, _ = machine_with(tmp_path, "eth0")
    usual = exposed(NetDev(machine.host, Options(netlink=False)))
    detailed = exposed(NetDev(machine.host, Options(netlink=False, enable_detailed_metrics=True)))
    renamed = re.sub(r"(receive|transmit)_errs", r"\1_errors", re.sub(r"_drop\b|_drop_", "_dropped_", usual))
    assert samples_in(detailed) == samples_in(renamed)


@pytest.mark.parametrize("asks", [True, False])
def test_odd_names(tmp_path: Path, asks: bool) -> None:
    """The kernel forbids little in a name; none costs the other devices' samples."""
    names = ["eth0", "a:b", "a\x1cb", "x\u2028y", '"\\']
    machine, _ = machine_with(tmp_path, *names)
    samples = samples_in(exposed(NetDev(machine.host, Options(netlink=asks))))
    shown = [name.replace("\\", "\\\\").replace('"', '\\"') for name in names]
    assert [f'node_network_receive_bytes_total{{device="{name}"}}' in samples for name in shown] == [True] * len(names)


@pytest.mark.parametrize("asks", [True, False])
def test_devices_of_containers_are_left_out(tmp_path: Path, asks: bool) -> None:
    """Whichever reader; a pattern of the operator's own publishes them."""
    machine, _ = machine_with(tmp_path, "eth0", "veth5f3a1c2")
    text = exposed(NetDev(machine.host, Options(netlink=asks)))
    assert 'device="eth0"' in text
    assert "veth" not in text
    everything = exposed(NetDev(machine.host, Options(netlink=asks, device_exclude=re.compile("^$"))))
    assert 'device="veth5f3a1c2"' in everything
    some = exposed(NetDev(machine.host, Options(netlink=asks, device_include=re.compile("^veth"))))
    assert 'device="veth5f3a1c2"' in some
    assert "eth0" not in some


def test_names_are_asked_for_when_devices_change(tmp_path: Path) -> None:
    """Not at each scrape; but when one comes, goes, is renamed, or two swap their names."""
    machine, kernel = machine_with(tmp_path, "eth0", "eth1")
    collector = NetDev(machine.host)
    exposed(collector), exposed(collector)
    assert kernel.asked.count(netlink.GETLINK) == 1

    kernel.answers[netlink.GETLINK] = [netlink.link(1, "wan"), netlink.link(2, "eth1")]
    (tmp_path / "sys/class/net/eth0").rename(tmp_path / "sys/class/net/wan")
    assert 'device="wan"' in exposed(collector)

    kernel.answers[netlink.GETLINK] = [netlink.link(1, "eth1"), netlink.link(2, "wan")]
    kernel.answers[netlink.GETSTATS] = [netlink.stats(1, {"rx_bytes": 5}), netlink.stats(2, {"rx_bytes": 6})]
    for old, new in (("wan", "x"), ("eth1", "wan"), ("x", "eth1")):
        (tmp_path / f"sys/class/net/{old}").rename(tmp_path / f"sys/class/net/{new}")
    assert samples_in(exposed(collector))['node_network_receive_bytes_total{device="wan"}'] == 6


@pytest.mark.parametrize("detailed", [True, False])
def test_every_scrape_has_the_numbers_of_now(tmp_path: Path, detailed: bool) -> None:
    """What has not moved is kept between scrapes; a part of a sum that moves shows, as does a device that goes."""
    machine, kernel = machine_with(tmp_path, "eth0", "eth1")
    options = Options(enable_detailed_metrics=detailed)
    collector = NetDev(machine.host, options)
    for number, name in enumerate([*COUNTERS, *COUNTERS]):
        moved = netlink.stats(1 + number % 2, {**COUNTERS, name: number})
        kernel.answers[netlink.GETSTATS] = [moved, netlink.stats(2 - number % 2, COUNTERS)][: 1 + number % 5]
        assert exposed(collector) == exposed(NetDev(machine.host, options))


def test_a_device_that_just_went_is_left_out(tmp_path: Path) -> None:
    """Its counters came, its name does not any more."""
    machine, kernel = machine_with(tmp_path, "eth0", "eth1")
    kernel.answers[netlink.GETLINK] = [netlink.link(1, "eth0")]
    assert "eth1" not in exposed(NetDev(machine.host))


def test_a_machine_without_devices(tmp_path: Path) -> None:
    """An empty answer is no error."""
    machine, _ = machine_with(tmp_path)
    assert exposed(NetDev(machine.host)) == ""


def test_counters_at_multiples_of_eight_bytes(tmp_path: Path) -> None:
    """Some processors want them so; another attribute fills up what is before."""
    machine, kernel = machine_with(tmp_path, "eth0")
    text = exposed(NetDev(machine.host))
    kernel.answers[netlink.GETSTATS] = [netlink.stats(1, COUNTERS, aligned=True)]
    assert exposed(NetDev(machine.host)) == text


@pytest.mark.parametrize("asks", [True, False])
def test_an_alias_is_a_label(tmp_path: Path, asks: bool) -> None:
    """Also of a device without one, whose label is empty; a device that is not in /sys at all has none either."""
    machine, _ = machine_with(tmp_path, "eth0", "eth1")
    machine.write("sys/class/net/eth0/ifalias", "to the roof\n")
    text = exposed(NetDev(machine.host, Options(netlink=asks, label_ifalias=True)))
    assert 'node_network_receive_bytes_total{device="eth0",ifalias="to the roof"} 1\n' in text
    assert 'node_network_receive_bytes_total{device="eth1",ifalias=""} 1\n' in text


def test_addresses(tmp_path: Path) -> None:
    """One sample an address; of a point-to-point link our end; not of devices that are left out."""
    machine, kernel = machine_with(tmp_path, "eth0", "veth1")
    ours, theirs = b"\x0a\x08\0\1", b"\x0a\x08\0\2"
    kernel.answers[netlink.GETADDR] = [
        netlink.address(1, ours, 32, peer=theirs),
        netlink.address(1, b"\xfe\x80" + bytes(13) + b"\1", 64),
        netlink.address(2, theirs, 24),
        netlink.address(1, b"\1\2\3", 24),
        b"\2",
    ]
    lines = exposed(NetDev(machine.host, Options(address_info=True))).splitlines()
    assert [line for line in lines if line.startswith("node_network_address_info")] == [
        'node_network_address_info{device="eth0",address="10.8.0.1",netmask="32",scope="global"} 1',
        'node_network_address_info{device="eth0",address="fe80::1",netmask="64",scope="link-local"} 1',
    ]


def test_addresses_need_netlink(tmp_path: Path) -> None:
    """No file has them all, so the reason is said; the counters are published all the same."""
    machine, kernel = machine_with(tmp_path, "eth0")
    kernel.answers[netlink.GETADDR] = REFUSED
    families = NetDev(machine.host, Options(address_info=True)).collect(0)
    assert sum(1 for _ in zip(range(17), families, strict=False)) == 17
    with pytest.raises(NoData, match=r"rtnetlink\(7\): Address family not supported"):
        next(families)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("7f000001", "127.0.0.1 link-local"),
        ("a9fe0304", "169.254.3.4 link-local"),
        ("c0a80001", "192.168.0.1 global"),
        ("e0000001", "224.0.0.1 "),
        ("ffffffff", "255.255.255.255 "),
        ("00000000", "0.0.0.0 "),
        ("00000000000000000000000000000001", "::1 link-local"),
        ("febf0000000000000000000000000001", "febf::1 link-local"),
        ("fec00000000000000000000000000001", "fec0::1 global"),
        ("fd000000000000000000000000000001", "fd00::1 global"),
        ("ff020000000000000000000000000001", "ff02::1 "),
    ],
)
def test_scopes(address: str, expected: str) -> None:
    """As node_exporter has them: private addresses are global, loopback is link-local."""
    value = bytes.fromhex(address)
    assert f"{shown(value)} {scope(value)}" == expected


def test_filters_that_exclude_each_other() -> None:
    """As on the command line of node_exporter."""
    with pytest.raises(ValueError, match="device-include and device-exclude"):
        Options(device_include=re.compile("a"), device_exclude=re.compile("b"))
