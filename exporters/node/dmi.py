"""What the firmware says of the machine: maker, model, serial numbers, BIOS, from /sys/class/dmi/id.

Read once, since nothing of it changes before the next boot. Many virtual machines have none of it, and only root may
read serial numbers. Files: drivers/firmware/dmi-id.c of the kernel.
"""

import re
from collections.abc import Iterator

from exporters.collector import Family, NoData, gauge
from exporters.host import READ_RIGHT, Host, Reason, Unreadable
from exporters.readers.sysfs import text

FOLDER = "class/dmi/id"
FILES = {
    **{f"bios_{of}": f"bios_{of}" for of in ("date", "release", "vendor", "version")},
    **{f"board_{of}": f"board_{of}" for of in ("asset_tag", "name", "serial", "vendor", "version")},
    **{f"chassis_{of}": f"chassis_{of}" for of in ("asset_tag", "serial", "vendor", "version")},
    **{f"product_{of}": f"product_{of}" for of in ("family", "name", "serial", "sku", "uuid", "version")},
    "sys_vendor": "system_vendor",
}
"""File → label."""

_NOISE = re.compile("\ufffd+")


class Dmi:
    """Publishes a label for each file that could be read when it was made."""

    def __init__(self, host: Host) -> None:
        self._host = host
        contents = {name: host.sys.read(f"{FOLDER}/{name}") for name in FILES}
        values = {FILES[name]: text(content) for name, content in contents.items()}
        # a run of bytes that are no UTF-8 is one sign, as the peer has it
        labels = {label: _NOISE.sub("\ufffd", value) for label, value in values.items() if value is not None}
        self._family = gauge("node_dmi_info", "The machine as its firmware names it.", *labels).family(
            [(tuple(labels.values()), 1)] if labels else []
        )
        unreadable = [content for content in contents.values() if isinstance(content, Unreadable)]
        self._refused = [content.path for content in unreadable if content.reason is Reason.NOT_PERMITTED]
        self._why = str(unreadable[0]) if unreadable else ""

    def collect(self, now: float) -> Iterator[Family]:
        for path in self._refused:
            self._host.deny(path, READ_RIGHT)  # each scrape starts with nothing denied
        if not self._family.samples:
            raise NoData(self._why)
        yield self._family
