"""Merging of equal pages, from /sys/kernel/mm/ksm. Format: Documentation/admin-guide/mm/ksm.rst of the kernel."""

from collections.abc import Iterator

from exporters.collector import Family, NoData, counter, gauge
from exporters.host import Host
from exporters.readers.sysfs import Attributes

FOLDER = "kernel/mm/ksm"
METRICS = {
    "full_scans": counter("node_ksmd_full_scans_total", "Times that all areas that may be merged were scanned."),
    "merge_across_nodes": gauge("node_ksmd_merge_across_nodes", "Whether pages of different NUMA nodes are merged."),
    "pages_shared": gauge("node_ksmd_pages_shared", "Shared pages that are in use."),
    "pages_sharing": gauge("node_ksmd_pages_sharing", "Sites that share them, which is how many pages were saved."),
    "pages_to_scan": gauge("node_ksmd_pages_to_scan", "Pages to scan before the scanner sleeps."),
    "pages_unshared": gauge("node_ksmd_pages_unshared", "Pages that are checked again and again, and are unique."),
    "pages_volatile": gauge("node_ksmd_pages_volatile", "Pages that change too fast to be merged."),
    "run": gauge("node_ksmd_run", "0: the scanner is stopped, 1: it runs, 2: it is stopped and all is unmerged."),
    "sleep_millisecs": gauge("node_ksmd_sleep_seconds", "Seconds that the scanner sleeps between two scans."),
}


class Ksmd:
    """Reads one file a metric. A kernel without NUMA lacks one of them."""

    def __init__(self, host: Host) -> None:
        self._files = Attributes(host.sys, FOLDER)
        self._path = host.sys.path(FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        found = False
        for name, metric in METRICS.items():
            value = self._files.count(name)
            if value is not None:
                found = True
                yield metric.single(value / 1000 if name == "sleep_millisecs" else value)
        if not found:
            raise NoData(f"{self._path}: no file with a number")
