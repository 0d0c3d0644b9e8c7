"""Huge pages of cgroups: what they use, the most they used, and how often a limit refused them.

Files `hugetlb.<size>.*` of the hugetlb controller (Documentation/admin-guide/cgroup-v1/hugetlb.rst, cgroup-v2.rst);
the sizes are the folders of /sys/kernel/mm/hugepages. Since Linux 5.7 there is a second account, `rsvd`, of pages that
are reserved, which a program does before it touches them. As in cAdvisor it is preferred: runtimes limit both, and its
limit is met first. v2 does not keep the highest use, and counts refusals of both accounts as one.
"""

from collections.abc import Callable, Iterator

from exporters.cgroups.tree.detect import Version
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import Cgroup, number_in
from exporters.collector import Family, NoData, Sample, counter, gauge
from exporters.host import Host, Unreadable

LABELS = (*BASE_LABELS, "pagesize")
USAGE = gauge("container_hugetlb_usage_bytes", "Current hugepage usage in bytes.", *LABELS)
MAX_USAGE = gauge("container_hugetlb_max_usage_bytes", "Maximum hugepage usage recorded in bytes.", *LABELS)
FAILCNT = counter("container_hugetlb_failcnt", "Number of times that the limit of huge pages was hit.", *LABELS)

SIZES = "kernel/mm/hugepages"

_V1 = "hugetlb"
_KILOBYTE, _MEGABYTE, _GIGABYTE = 1 << 10, 1 << 20, 1 << 30

Account = str
"""What the names of an account's files begin with, such as `hugetlb.2MB.rsvd`."""


class HugetlbCollector:
    """Reads three files on v1, and two on v2, for each cgroup and size of pages."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._inventory = inventory
        self._sys = host.sys
        self._accounts: dict[str, Account] = {}

    def collect(self, now: float) -> Iterator[Family]:
        cgroups = self._inventory.current(now)
        v1 = self._inventory.version is Version.V1
        if v1 and not any(_V1 in cgroup.folders for cgroup in cgroups):
            raise NoData("the hugetlb hierarchy is not mounted")
        sizes = self._sizes()
        rows = [(cgroup, size, account) for cgroup in cgroups for size, account in self._of(cgroup, sizes, v1=v1)]
        usage = _v1_usage if v1 else _v2_usage
        yield USAGE.family(_samples(rows, usage))
        if v1:
            yield MAX_USAGE.family(_samples(rows, _v1_max_usage))
        yield FAILCNT.family([row for row in _samples(rows, _v1_failcnt if v1 else _v2_failcnt) if row[1] >= 0])

    def _sizes(self) -> list[str]:
        """As file names have them: `hugepages-2048kB` is `2MB`."""
        names = self._sys.names(SIZES)
        if isinstance(names, Unreadable):
            raise NoData(str(names))
        return [size for name in names if (size := _size(name)) is not None]

    def _of(self, cgroup: Cgroup, sizes: list[str], *, v1: bool) -> Iterator[tuple[str, Account]]:
        """The accounts of a cgroup by size. Which one it is depends on the kernel, so it is found out once."""
        usage = _v1_usage if v1 else _v2_usage
        for size in sizes:
            account = self._accounts.get(size)
            if account is None:
                choices = (f"hugetlb.{size}.rsvd", f"hugetlb.{size}")
                account = next((choice for choice in choices if usage(cgroup, choice) is not None), None)
                if account is None:
                    continue  # the root of v2 has no such files, nor has a cgroup without the controller
                self._accounts[size] = account
            yield size, account


def _size(name: str) -> str | None:
    kilobytes = name.removeprefix("hugepages-").removesuffix("kB")
    if not kilobytes.isascii() or not kilobytes.isdigit():
        return None
    number = int(kilobytes) * _KILOBYTE
    for unit, bytes_of_it in (("GB", _GIGABYTE), ("MB", _MEGABYTE)):
        if number >= bytes_of_it:
            return f"{number // bytes_of_it}{unit}"
    return f"{number // _KILOBYTE}KB"


def _v1_usage(cgroup: Cgroup, account: Account) -> int | None:
    return cgroup.number(_V1, f"{account}.usage_in_bytes")


def _v1_max_usage(cgroup: Cgroup, account: Account) -> int | None:
    return cgroup.number(_V1, f"{account}.max_usage_in_bytes")


def _v1_failcnt(cgroup: Cgroup, account: Account) -> int | None:
    return cgroup.number(_V1, f"{account}.failcnt")


def _v2_usage(cgroup: Cgroup, account: Account) -> int | None:
    return cgroup.number("", f"{account}.current")


def _v2_failcnt(cgroup: Cgroup, account: Account) -> int | None:
    return number_in(cgroup.numbers("", f"{account.removesuffix('.rsvd')}.events"), b"max")


def _samples(rows: list[tuple[Cgroup, str, Account]], reading: Callable[[Cgroup, Account], int | None]) -> list[Sample]:
    return [
        ((*cgroup.labels, size), value)
        for cgroup, size, account in rows
        if (value := reading(cgroup, account)) is not None
    ]
