"""What drivers of network devices tell, and the metrics made of their own names."""

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.calls import Driver, LinkModes
from exporters.collector import NoData
from exporters.node.ethtool import Ethtool, Options
from exporters.testing import FakeMachine, exposed, samples_in


def machine_with(folder: Path, statistics: Mapping[str, Mapping[str, int]]) -> FakeMachine:
    """A machine of which each device's driver has these statistics."""

    def ethtool(device: str) -> Mapping[str, int]:
        if device not in statistics:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return statistics[device]

    machine = FakeMachine(folder)
    machine.answer(ethtool=ethtool)
    for device in (*statistics, "bonding_masters"):
        machine.write(f"sys/class/net/{device}/mtu", "1500\n")
    return machine


@pytest.mark.parametrize(
    ("counter", "metric"),
    [
        ("rx_bytes", "received_bytes_total"),
        ("tx_packets", "transmitted_packets_total"),
        ("tx_dropped", "transmitted_dropped"),
        ("rx_dropped", "received_dropped_total"),
        ("port.rx_dropped", "port_received_dropped"),
        ("[0]: rx_ucast_packets", "0_received_ucast_packets"),
        ("queue 3 - tx   bytes", "queue_3_transmitted_bytes"),
        ("rx", "received"),
        ("rx_rx", "received_rx"),
        ("rxq0_xdp_tx", "rxq0_xdp_transmitted"),
        ("_Big_RX_", "big_received_"),
    ],
)
def test_names_of_counters(tmp_path: Path, counter: str, metric: str) -> None:
    """What no metric may be called becomes an underscore; rx and tx are spelt out."""
    machine = machine_with(tmp_path, {"eth0": {counter: 5}})
    assert samples_in(exposed(Ethtool(machine.host))) == {f'node_ethtool_{metric}{{device="eth0"}}': 5}


def test_names_that_become_the_same_are_left_out(tmp_path: Path) -> None:
    """Of the device that has both; another device's is published. None takes the name of another metric."""
    both = {"rx-drops": 1, "rx.drops": 2, "a": 3}
    machine = machine_with(tmp_path, {"eth0": both, "eth1": {"rx-drops": 4, "info": 5, "._": 6}})
    assert samples_in(exposed(Ethtool(machine.host))) == {
        'node_ethtool_a{device="eth0"}': 3,
        'node_ethtool_received_drops{device="eth1"}': 4,
    }


def test_counters_have_no_type(tmp_path: Path) -> None:
    """Some drivers count, some measure; a family has all devices."""
    machine = machine_with(tmp_path, {"eth0": {"a": 1}, "eth1": {"a": 2}})
    lines = exposed(Ethtool(machine.host)).splitlines()
    assert lines[1:] == [
        "# TYPE node_ethtool_a untyped",
        'node_ethtool_a{device="eth0"} 1',
        'node_ethtool_a{device="eth1"} 2',
    ]


def test_operators_choose(tmp_path: Path) -> None:
    """Devices, of which those of containers are left out, and counters by the driver's own names."""
    machine = machine_with(tmp_path, {"eth0": {"rx_a": 1, "tx_a": 2}, "veth1": {"rx_a": 3}})
    chosen = Options(metrics_include=re.compile("^rx"))
    assert samples_in(exposed(Ethtool(machine.host, chosen))) == {'node_ethtool_received_a{device="eth0"}': 1}
    chosen = Options(device_exclude=re.compile("eth0"))
    assert samples_in(exposed(Ethtool(machine.host, chosen))) == {'node_ethtool_received_a{device="veth1"}': 3}


def test_driver_and_link(tmp_path: Path) -> None:
    """Versions are labels; the link's modes are bits, of which those that are known are published."""
    machine = machine_with(tmp_path, {"eth0": {}})
    machine.answer(
        ethtool_driver=lambda _: Driver("e1000e", "3.2.6", "0.5-4", "0000:00:1f.6", ""),
        ethtool_link=lambda _: LinkModes(1 << 0 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 15, 1 << 31 | 1 << 13 | 1 << 14, 1),
    )
    assert samples_in(exposed(Ethtool(machine.host, Options(device_include=re.compile("^eth"))))) == {
        'node_ethtool_info{bus_info="0000:00:1f.6",device="eth0",driver="e1000e",expansion_rom_version="",'
        'firmware_version="0.5-4",version="3.2.6"}': 1,
        'node_network_autonegotiate{device="eth0"}': 1,
        'node_network_supported_port_info{device="eth0",type="TP"}': 1,
        'node_network_supported_speed_bytes{device="eth0",duplex="half",mode="10baseT"}': 1_250_000,
        'node_network_supported_speed_bytes{device="eth0",duplex="full",mode="1000baseT"}': 125_000_000,
        'node_network_advertised_speed_bytes{device="eth0",duplex="full",mode="25000baseCR"}': 3_125_000_000,
        'node_network_autonegotiate_supported{device="eth0"}': 1,
        'node_network_pause_supported{device="eth0"}': 0,
        'node_network_asymmetricpause_supported{device="eth0"}': 0,
        'node_network_autonegotiate_advertised{device="eth0"}': 0,
        'node_network_pause_advertised{device="eth0"}': 1,
        'node_network_asymmetricpause_advertised{device="eth0"}': 1,
    }


def test_counters_that_come_and_go_take_no_memory(tmp_path: Path) -> None:
    """What is kept of drivers is forgotten in time."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/class/net/eth0/mtu", "1500\n")
    current: dict[str, int] = {}
    machine.answer(ethtool=lambda _: current)
    collector = Ethtool(machine.host)
    for number in range(100):
        current = {"a": number} | dict.fromkeys((f"b{place}" for place in range(7) if number >> place & 1), 1)
        assert samples_in(exposed(collector))['node_ethtool_a{device="eth0"}'] == number


def test_a_machine_without_devices(tmp_path: Path) -> None:
    """Says so; as does one without the folder."""
    machine = FakeMachine(tmp_path)
    with pytest.raises(NoData, match="class/net: No such file"):
        exposed(Ethtool(machine.host))
    (tmp_path / "sys/class/net").mkdir(parents=True)
    with pytest.raises(NoData, match="class/net: no network devices"):
        exposed(Ethtool(machine.host))
