"""Network devices and bonds: what is published of them, and what becomes of those that change, go or can't tell."""

import re
from pathlib import Path

import pytest

from exporters.collector import NoData
from exporters.host import Access, Host, Purse, Reason, Roots, Unreadable
from exporters.node.bonding import Bonding
from exporters.node.netclass import MOST_KEPT, NetClass, Options
from exporters.testing import FakeMachine, exposed, samples_in

UP, DOWN = "0x1003\n", "0x1002\n"


def add(machine: FakeMachine, name: str, **attributes: str) -> None:
    """A device that is up, with only these attributes besides."""
    machine.write_all({"flags": UP, "operstate": "up\n", **attributes}, f"sys/class/net/{name}")


@pytest.mark.parametrize(
    ("attribute", "content", "sample", "value"),
    [
        ("mtu", "1500\n", "mtu_bytes", 1500),
        ("speed", "10000\n", "speed_bytes", 1_250_000_000),
        ("speed", "-1\n", "speed_bytes", -125_000),
        ("dev_id", "0x20\n", "device_id", 32),
        ("flags", "0x9\n", "flags", 9),
        ("carrier_up_count", "3\n", "carrier_up_changes_total", 3),
        ("operstate", "down\n", "up", 0),
        ("mtu", "", "mtu_bytes", None),
        ("mtu", "letters\n", "mtu_bytes", None),
        ("carrier_changes", "-1\n", "carrier_changes_total", None),
    ],
)
def test_an_attribute_is_a_sample(
    tmp_path: Path, attribute: str, content: str, sample: str, value: float | None
) -> None:
    """Mbit/s become bytes a second, hexadecimal becomes a number, rubbish becomes nothing."""
    machine = FakeMachine(tmp_path)
    add(machine, "eth0", **{attribute: content})
    samples = samples_in(exposed(NetClass(machine.host)))
    assert samples.get(f'node_network_{sample}{{device="eth0"}}') == value


@pytest.mark.parametrize(
    ("attributes", "labels"),
    [
        (
            {
                "address": "02:fc:00:00:00:01\n",
                "broadcast": "ff:ff:ff:ff:ff:ff\n",
                "duplex": "full\n",
                "ifalias": "up\n",
            },
            (
                'address="02:fc:00:00:00:01",broadcast="ff:ff:ff:ff:ff:ff",duplex="full",'
                'operstate="up",adminstate="up",ifalias="up"'
            ),
        ),
        (
            {"flags": DOWN, "operstate": "down\n"},
            'address="",broadcast="",duplex="",operstate="down",adminstate="down",ifalias=""',
        ),
        ({"flags": ""}, 'address="",broadcast="",duplex="",operstate="up",adminstate="unknown",ifalias=""'),
    ],
)
def test_what_a_device_says_in_words_are_labels(tmp_path: Path, attributes: dict[str, str], labels: str) -> None:
    """A label is empty where the device does not tell."""
    machine = FakeMachine(tmp_path)
    add(machine, "eth0", **attributes)
    assert f'node_network_info{{device="eth0",{labels}}} 1\n' in exposed(NetClass(machine.host))


def test_an_unknown_speed_can_be_left_out(tmp_path: Path) -> None:
    """Drivers tell it as -1."""
    machine = FakeMachine(tmp_path)
    add(machine, "eth0", speed="-1\n")
    assert "speed" not in exposed(NetClass(machine.host, Options(ignore_invalid_speed=True)))


@pytest.mark.parametrize(
    ("options", "published"),
    [
        (Options(), ["eth0", "lo"]),
        (Options(ignored_devices=re.compile("")), ["eth0", "lo", "veth12ab"]),
        (Options(ignored_devices=re.compile("^(lo|veth.*)$")), ["eth0"]),
        (Options(ignored_devices=re.compile("eth")), ["lo"]),
    ],
)
def test_devices_of_containers_are_left_out_unless_asked_for(
    tmp_path: Path, options: Options, published: list[str]
) -> None:
    """A pattern takes the place of the usual one; `bonding_masters` is a file, and no device."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/class/net/bonding_masters", "\n")
    for name in ("eth0", "lo", "veth12ab"):
        add(machine, name)
    assert re.findall(r'network_up{device="(.*)"}', exposed(NetClass(machine.host, options))) == published


def test_every_scrape_tells_the_state_of_now(tmp_path: Path) -> None:
    """Files that stay open, and samples that are kept while nothing changes, never show yesterday's state."""
    machine = FakeMachine(tmp_path)
    add(machine, "eth0", mtu="1500\n", speed="1000\n")
    collector = NetClass(machine.host)
    before = samples_in(exposed(collector))
    add(machine, "eth0", mtu="9000\n", flags=DOWN, operstate="down\n")
    add(machine, "eth1", mtu="1400\n")
    after = samples_in(exposed(collector))
    mtu, speed = 'node_network_mtu_bytes{device="eth0"}', 'node_network_speed_bytes{device="eth0"}'
    assert (before[mtu], before[speed]) == (1500, 125_000_000)
    assert after[mtu] == 9000
    assert speed not in after
    assert after['node_network_mtu_bytes{device="eth1"}'] == 1400


def test_devices_that_swap_names_swap_samples(tmp_path: Path) -> None:
    """An open file follows its device when that is renamed, and then belongs to the other one's samples."""
    machine = FakeMachine(tmp_path)
    add(machine, "eth0", mtu="1\n")
    add(machine, "eth1", mtu="2\n")
    collector = NetClass(machine.host)
    exposed(collector)
    folder = machine.folder / "sys/class/net"
    for old, new in (("eth0", "rename2"), ("eth1", "eth0"), ("rename2", "eth1")):
        (folder / old).rename(folder / new)
    samples = samples_in(exposed(collector))
    assert samples['node_network_mtu_bytes{device="eth0"}'] == 2
    assert samples['node_network_mtu_bytes{device="eth1"}'] == 1


def test_devices_that_go_leave_nothing_behind(tmp_path: Path) -> None:
    """No samples, and no open files."""
    machine = FakeMachine(tmp_path)
    add(machine, "eth0", mtu="1500\n")
    add(machine, "eth1", mtu="1500\n")
    access = Access(Purse(1000))
    collector = NetClass(Host(machine.roots, machine.calls, access))
    exposed(collector)
    both = access.purse.left
    machine.remove("sys/class/net/eth1")
    assert "eth1" not in exposed(collector)
    assert 1000 - access.purse.left == (1000 - both) / 2


def test_thousands_of_devices_keep_few_files_open(tmp_path: Path) -> None:
    """The files of those beyond the first few are closed again, and their samples are as good."""
    machine = FakeMachine(tmp_path)
    for number in range(3 * MOST_KEPT):
        add(machine, f"tap{number}", mtu="1500\n")
    access = Access(Purse(10_000))
    collector = NetClass(Host(machine.roots, machine.calls, access))
    for _ in range(2):
        assert exposed(collector).count("node_network_mtu_bytes{") == 3 * MOST_KEPT
        assert 10_000 - access.purse.left == 3 * MOST_KEPT


def test_a_machine_without_network_devices_is_no_error(tmp_path: Path) -> None:
    """NoData names the folder that is not there."""
    with pytest.raises(NoData, match="class/net"):
        exposed(NetClass(FakeMachine(tmp_path).host))


def test_a_refusal_of_a_device_keeps_its_file_open() -> None:
    """The loopback device has no speed, and says so at each read; to open the file anew would change nothing."""
    access = Access(Purse(10))
    file = Host(Roots(), access=access).sys.keep("class/net/lo/speed")
    there = not isinstance(Host(Roots()).sys.status("class/net/lo/speed"), Unreadable)
    for _ in range(2):
        refusal = file.read_record()
        assert isinstance(refusal, Unreadable)
        assert (refusal.reason is Reason.NOT_SUPPORTED) is there
        assert access.purse.left == 10 - there


@pytest.mark.parametrize("link", ["lower", "slave"])
def test_a_bond_counts_its_interfaces_and_those_with_a_link(tmp_path: Path, link: str) -> None:
    """The link to an interface has another name in old kernels; an interface without state has just left."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/class/net/bonding_masters", "bond0 bond1 gone\n")
    machine.write("sys/class/net/bond0/bonding/slaves", "eth0 eth1 left\n")
    machine.write("sys/class/net/bond1/bonding/slaves", "\n")
    machine.write(f"sys/class/net/bond0/{link}_eth0/bonding_slave/mii_status", "up\n")
    machine.write(f"sys/class/net/bond0/{link}_eth1/bonding_slave/mii_status", "down\n")
    assert samples_in(exposed(Bonding(machine.host))) == {
        'node_bonding_slaves{master="bond0"}': 2,
        'node_bonding_active{master="bond0"}': 1,
        'node_bonding_slaves{master="bond1"}': 0,
        'node_bonding_active{master="bond1"}': 0,
    }


def test_a_machine_without_bonds_is_no_error(tmp_path: Path) -> None:
    """NoData names the file that is not there."""
    with pytest.raises(NoData, match="bonding_masters"):
        exposed(Bonding(FakeMachine(tmp_path).host))
