"""What the kernel's random number generator has gathered, from /proc/sys/kernel/random, random(4)."""

from collections.abc import Iterator

from exporters.collector import Family, gauge
from exporters.host import Host
from exporters.readers.sysfs import needed

METRICS = {
    "entropy_avail": gauge("node_entropy_available_bits", "Bits of entropy that are at hand."),
    "poolsize": gauge("node_entropy_pool_size_bits", "Bits of entropy that the pool holds at most."),
}


class Entropy:
    """Reads two files."""

    def __init__(self, host: Host) -> None:
        self._files = {host.proc.keep(f"sys/kernel/random/{name}"): metric for name, metric in METRICS.items()}

    def collect(self, now: float) -> Iterator[Family]:
        for file, metric in self._files.items():
            yield metric.single(needed(file))
