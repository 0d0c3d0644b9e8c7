"""Disks that are reached by several paths, and which of the paths work, from /sys/block/dm-*.

A device of the device mapper is multipath when its UUID begins with `mpath-`; its paths are its `slaves`. Formats:
Documentation/ABI/testing/sysfs-block-dm of the kernel, and the state of a path in drivers/scsi and drivers/nvme.
"""

from collections.abc import Iterator

from exporters.collector import Family, gauge
from exporters.host import Host
from exporters.readers.sysfs import Attributes, Gathered, Known, devices, listed

DEVICE = ("device", "sysfs_name")
INFO = gauge("node_dmmultipath_device_info", "Name, kernel's name and UUID of the device.", *DEVICE, "uuid")
ACTIVE = gauge("node_dmmultipath_device_active", "1 for a device in use, 0 for a suspended one.", *DEVICE)
SIZE = gauge("node_dmmultipath_device_size_bytes", "Size of the device.", *DEVICE)
PATHS = gauge("node_dmmultipath_device_paths", "Paths to the device.", *DEVICE)
PATHS_ACTIVE = gauge("node_dmmultipath_device_paths_active", "Paths in state running (SCSI) or live (NVMe).", *DEVICE)
PATHS_FAILED = gauge("node_dmmultipath_device_paths_failed", "Paths in any other state.", *DEVICE)
PATH_STATE = gauge("node_dmmultipath_path_state", "The state of a path.", "device", "path", "state")

WORKING = frozenset({"running", "live"})
_SECTOR = 512


class DmMultipath:
    """Reads the UUID of each device of the device mapper, and more of those that are multipath."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._mapped = Known(lambda name: Attributes(host.sys, f"block/{name}"))
        self._paths = Known(lambda name: Attributes(host.sys, f"block/{name}/device"))

    def collect(self, now: float) -> Iterator[Family]:
        names = [name for name in devices(self._sys, "block") if name.startswith("dm-")]
        mapped = self._mapped.of(names)
        multipath = {
            name: uuid
            for name, attributes in mapped.items()
            if (uuid := attributes.text("dm/uuid") or "").startswith("mpath-")
        }
        paths = {name: listed(self._sys, f"block/{name}/slaves") for name in multipath}
        states = self._states({path for found in paths.values() for path in found})
        gathered = Gathered()
        for name, uuid in multipath.items():
            _publish(name, uuid, mapped[name], {path: states[path] for path in paths[name]}, gathered)
        yield from gathered.families()

    def _states(self, paths: set[str]) -> dict[str, str | None]:
        known = self._paths.of(sorted(paths))
        return {path: attributes.text("state") for path, attributes in known.items()}


def _publish(
    sysfs_name: str, uuid: str, attributes: Attributes, states: dict[str, str | None], gathered: Gathered
) -> None:
    name = attributes.text("dm/name")
    suspended, sectors = attributes.count("dm/suspended"), attributes.count("size")
    if name is None:
        return  # it was removed a moment ago
    labels = (name, sysfs_name)
    gathered.add(INFO, (*labels, uuid))
    if suspended is not None:
        gathered.add(ACTIVE, labels, int(suspended != 1))
    if sectors is not None:
        gathered.add(SIZE, labels, sectors * _SECTOR)
    working = sum(state in WORKING for state in states.values())
    gathered.add(PATHS, labels, len(states))
    gathered.add(PATHS_ACTIVE, labels, working)
    gathered.add(PATHS_FAILED, labels, len(states) - working)
    for path, state in states.items():
        if state is not None:
            gathered.add(PATH_STATE, (name, path, state))
