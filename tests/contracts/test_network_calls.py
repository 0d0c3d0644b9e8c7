"""What this kernel says over netlink and by ioctl is what its files say, laid out as by the tests' scripted kernel."""

import errno
from pathlib import Path

import pytest

from exporters.calls import Calls
from exporters.host import Host, Roots
from exporters.node.netdev import NetDev, Options
from exporters.readers.links import Links
from exporters.testing import exposed, samples_in
from tests.exporters import netlink

DEVICES = sorted(path.name for path in Path("/sys/class/net").iterdir() if path.is_dir())


def test_devices_and_their_indexes() -> None:
    """The names over rtnetlink are those of /sys/class/net."""
    indexes = {int(Path(f"/sys/class/net/{device}/ifindex").read_text(encoding="ascii")): device for device in DEVICES}
    assert Links(Host(Roots()), lambda _: True).names(indexes.keys()) == indexes


def test_both_readers_have_the_same_series() -> None:
    """And no number of the one that is read later is below that of the other."""
    first = samples_in(exposed(NetDev(Host(Roots()))))
    second = samples_in(exposed(NetDev(Host(Roots()), Options(netlink=False))))
    third = samples_in(exposed(NetDev(Host(Roots()))))
    assert first.keys() == second.keys() == third.keys()
    assert all(first[name] <= second[name] <= third[name] for name in first)


def test_counters_have_a_fixed_place() -> None:
    """The messages of this kernel are laid out as those of the scripted one, up to counters that came later."""
    real = Calls().netlink(*netlink.GETSTATS, netlink.stats(0, {})[:12])
    scripted = netlink.stats(0, {})
    assert len(real) == len(DEVICES)
    assert all(message[14:16] == scripted[14:16] and len(message) >= len(scripted) - 8 for message in real)


@pytest.mark.parametrize(("protocol", "kind"), [(0, 9999), (4, 99)])
def test_a_question_that_the_kernel_does_not_know(protocol: int, kind: int) -> None:
    """Is an OSError, and the next question is answered."""
    calls = Calls()
    with pytest.raises(OSError, match=r"\[Errno"):
        calls.netlink(protocol, kind, b"")
    assert calls.netlink(*netlink.GETLINK, bytes(16))


def test_a_protocol_that_does_not_exist() -> None:
    """No socket can be opened for it."""
    with pytest.raises(OSError, match="not supported"):
        Calls().netlink(31, 16, b"")


@pytest.mark.parametrize("device", ["nonesuch", "a-name-of-more-than-fifteen-letters"])
def test_a_device_that_does_not_exist(device: str) -> None:
    """Is an OSError, whatever is asked."""
    calls = Calls()
    for ask in (calls.ethtool, calls.ethtool_driver, calls.ethtool_link):
        with pytest.raises(OSError, match=r"\[Errno") as caught:
            ask(device)
        assert caught.value.errno == errno.ENODEV


def test_loopback_has_no_link() -> None:
    """What a driver does not have is an OSError."""
    with pytest.raises(OSError, match="not supported"):
        Calls().ethtool_link("lo")
