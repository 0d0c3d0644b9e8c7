"""Software RAID: state, disks and progress of each array, from /proc/mdstat and /sys/block/md*/md.

Formats: `md_seq_show` in drivers/md/md.c of the kernel, and Documentation/admin-guide/md.rst. An array is a line that
names it and its disks, one with its size, and then lines for the bitmap and for what is being done to it:

    md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]
          195310144 blocks [2/1] [U_]
          [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Malformed, gauge, required
from exporters.host import Host
from exporters.readers.numbers import natural
from exporters.readers.sysfs import Attributes, Gathered, Known, count, listed

STATE = gauge("node_md_state", "Whether the array is in this state.", "device", "state")
DISKS = gauge("node_md_disks", "Disks of the array that are active, failed or spare.", "device", "state")
REQUIRED = gauge("node_md_disks_required", "Disks that the array needs to be complete.", "device")
BLOCKS = gauge("node_md_blocks", "Blocks of the array, of 1 KiB each.", "device")
SYNCED = gauge("node_md_blocks_synced", "Blocks that are in sync: all of them unless a sync is going on.", "device")
RAID_DISKS = gauge("node_md_raid_disks", "Disks of the array in /sys, present or not.", "device")
DEGRADED = gauge("node_md_degraded", "Disks that the array lacks.", "device")

STATES = ("active", "inactive", "recovering", "resync", "check")
_DOING = (("recovery", "recovering"), ("reshape", "reshaping"), ("check", "check"), ("resync", "resync"))
"""A word of the line about progress, and the state that it means; the first that is found counts."""

_DISKS = re.compile(r"\[(\d+)/(\d+)\] \[[U_]+\]")
_PROGRESS = re.compile(r"\((\d+)/\d+\)")
_WITHOUT_DISKS = frozenset({"container", "imsm", "ddf", ""})
_CAN_DEGRADE = frozenset({"raid1", "raid4", "raid5", "raid6", "raid10"})


@dataclass(frozen=True, slots=True)
class Array:
    """One array of /proc/mdstat."""

    name: str
    state: str
    active: int
    required: int
    failed: int
    spare: int
    blocks: int
    synced: int


class Mdadm:
    """Reads both; a machine whose kernel knows no arrays has no data."""

    def __init__(self, host: Host) -> None:
        self._mdstat = host.proc.keep("mdstat")
        self._sys = host.sys
        self._arrays = Known(lambda name: Attributes(host.sys, f"block/{name}/md"))

    def collect(self, now: float) -> Iterator[Family]:
        text = required(self._mdstat.read())
        gathered = Gathered()
        for array in parse(text, self._mdstat.path):
            if isinstance(array, Malformed):
                gathered.fail(array)
            else:
                _publish(array, gathered)
        found = [name for name in listed(self._sys, "block") if name.startswith("md")]
        for name, attributes in self._arrays.of(found).items():
            _from_sysfs(name, attributes, gathered)
        yield from gathered.families()


def _publish(array: Array, gathered: Gathered) -> None:
    device = array.name
    gathered.add(REQUIRED, (device,), array.required)
    for disks, number in (("active", array.active), ("failed", array.failed), ("spare", array.spare)):
        gathered.add(DISKS, (device, disks), number)
    for state in STATES:
        gathered.add(STATE, (device, state), int(array.state == state))
    gathered.add(BLOCKS, (device,), array.blocks)
    gathered.add(SYNCED, (device,), array.synced)


def _from_sysfs(device: str, attributes: Attributes, gathered: Gathered) -> None:
    level = attributes.text("level")
    if level is None:
        return  # the array was stopped a moment ago, or the device's name only begins like an array's
    disks = "" if level in _WITHOUT_DISKS else (attributes.text("raid_disks") or "")
    number = count(disks.partition(" ")[0].encode())  # `11 (10)`: eleven from now on, ten before the reshape
    if number is not None:
        gathered.add(RAID_DISKS, (device,), number)
    degraded = attributes.count("degraded") if level in _CAN_DEGRADE else 0
    if degraded is not None:
        gathered.add(DEGRADED, (device,), degraded)


def parse(text: str, path: str) -> Iterator[Array | Malformed]:
    """The arrays of /proc/mdstat, each once, or what is wrong with one."""
    lines = text.splitlines()
    seen: set[str] = set()
    for number, line in enumerate(lines):
        name = line.partition(" ")[0]
        if not name or name in ("Personalities", "unused") or name in seen:
            continue
        seen.add(name)
        try:
            yield _array(line, [*lines[number + 1 : number + 4], "", "", ""])
        except ValueError:
            yield Malformed(path, number + 1, "an array, `name : state …`, and below it its blocks and disks", line)


def _array(line: str, below: list[str]) -> Array:
    """Raises ValueError."""
    name, state = line.split()[0:3:2]
    blocks = natural(below[0].partition(" blocks")[0])
    active, needed = _disks(line, below[0])
    doing = below[2] if "bitmap" in below[1] else below[1]
    synced = blocks
    for word, meaning in _DOING:
        if word in doing:
            state, synced = meaning, _synced(doing)
            break
    return Array(name, state, active, needed, line.count("(F)"), line.count("(S)"), blocks, synced)


def _disks(line: str, size: str) -> tuple[int, int]:
    """How many disks are active, and how many the array needs. Raises ValueError."""
    if "raid0" in line or "linear" in line:
        return line.count("["), line.count("[")  # they can't do without one
    if "inactive" in line:
        return 0, 0
    found = _DISKS.search(size)
    if found is None:
        raise ValueError("no disks")
    return natural(found[2]), natural(found[1])


def _synced(doing: str) -> int:
    """The blocks that are done; none when it waits for another array or for someone who writes. Raises ValueError."""
    if "PENDING" in doing or "DELAYED" in doing:
        return 0
    found = _PROGRESS.search(doing)
    if found is None:
        raise ValueError("no progress")
    return natural(found[1])
