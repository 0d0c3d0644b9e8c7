"""Traffic of each network device, from /proc/net/dev; packets without a handler from /sys/class/net."""

import re
from collections.abc import Iterator

from exporters.collector import Family, Malformed, Metric, Sample, counter, optional, required, whole
from exporters.host import Host, KeptFile

RECEIVE = ("bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast")
TRANSMIT = ("bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed")


def _metric(name: str) -> Metric:
    return counter(f"node_network_{name}_total", f"Network device statistic {name}.", "device")


COLUMNS = tuple(_metric(f"receive_{name}") for name in RECEIVE) + tuple(
    _metric(f"transmit_{name}") for name in TRANSMIT
)
NOHANDLER = _metric("receive_nohandler")

HEADER_LINES = 2


class NetDev:
    """Publishes the devices whose names `exclude` does not match; None excludes none."""

    def __init__(self, host: Host, exclude: re.Pattern[str] | None = None) -> None:
        self._file = host.proc.keep("net/dev")
        self._sys = host.sys
        self._exclude = exclude
        self._nohandler: dict[str, KeptFile] = {}

    def collect(self, now: float) -> Iterator[Family]:
        lines = required(self._file.read()).splitlines()
        if len(lines) < HEADER_LINES:
            raise Malformed(self._file.path, 1, "two lines of headings")
        rows = list(self._rows(lines))
        for column, metric in enumerate(COLUMNS):
            yield metric.family([((device,), values[column]) for device, values in rows])
        yield NOHANDLER.family(self._without_handler([device for device, _ in rows]))

    def _rows(self, lines: list[str]) -> Iterator[tuple[str, list[int]]]:
        for number, line in enumerate(lines[HEADER_LINES:], HEADER_LINES + 1):
            name, _, rest = line.rpartition(":")  # a device name may hold a colon, a number may not
            device = name.strip()
            if self._exclude is not None and self._exclude.search(device):
                continue
            try:
                values = [whole(word) for word in rest.split()]
            except ValueError as error:
                raise Malformed(self._file.path, number, "numbers after the device's name", line) from error
            if len(values) < len(COLUMNS) or not device:
                raise Malformed(self._file.path, number, f"a device and {len(COLUMNS)} numbers", line)
            yield device, values

    def _without_handler(self, devices: list[str]) -> list[Sample]:
        samples: list[Sample] = []
        for device in devices:
            if device not in self._nohandler:
                self._nohandler[device] = self._sys.keep(f"class/net/{device}/statistics/rx_nohandler")
            text = optional(self._nohandler[device].read_record())
            if text.isascii() and text.isdigit():
                samples.append(((device,), int(text)))
        for gone in self._nohandler.keys() - set(devices):
            self._nohandler.pop(gone).close()
        return samples
