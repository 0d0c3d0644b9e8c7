"""How many interfaces each bond has, and how many of them work, from /sys/class/net.

`bonding_masters` lists the bonds, `<bond>/bonding/slaves` the interfaces of one, and `mii_status` of each is `up`
when it has a link. Format: Documentation/networking/bonding.rst, "Configuring Bonding Manually via Sysfs".
"""

from collections.abc import Iterator

from exporters.collector import Family, Sample, gauge, required
from exporters.host import Host
from exporters.readers.sysfs import text

SLAVES = gauge("node_bonding_slaves", "Interfaces of a bond.", "master")
ACTIVE = gauge("node_bonding_active", "Interfaces of a bond that have a link.", "master")

LINKS = ("lower", "slave")
"""What the link from a bond to an interface is called: before Linux 3.13 `slave_eth0`."""


class Bonding:
    """A bond or an interface that can't be read has most likely just gone, and is not counted.

    Only the list of bonds is kept open: a kept file follows its device when that is renamed.
    """

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._masters = host.sys.keep("class/net/bonding_masters")

    def collect(self, now: float) -> Iterator[Family]:
        slaves: list[Sample] = []
        active: list[Sample] = []
        for master in dict.fromkeys(required(self._masters.read_record()).split()):
            states = self._states(f"class/net/{master}")
            if states is not None:
                slaves.append(((master,), len(states)))
                active.append(((master,), states.count("up")))
        yield SLAVES.family(slaves)
        yield ACTIVE.family(active)

    def _states(self, bond: str) -> list[str] | None:
        """The state of each interface of a bond: `up`, `down`, …; None when the bond can't be read."""
        names = text(self._sys.read(f"{bond}/bonding/slaves"))
        if names is None:
            return None
        states = [self._state(bond, name) for name in dict.fromkeys(names.split())]
        return [state for state in states if state is not None]

    def _state(self, bond: str, interface: str) -> str | None:
        files = (f"{bond}/{link}_{interface}/bonding_slave/mii_status" for link in LINKS)
        states = (text(self._sys.read(file)) for file in files)
        return next((state for state in states if state is not None), None)
