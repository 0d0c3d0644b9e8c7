"""Pressure stall information: the time that tasks waited for a resource, of the machine and of each cgroup of v2.

Format: Documentation/accounting/psi.rst of the kernel. `some` is the time in which at least one task waited, `full`
that in which no task could go on:

    some avg10=0.00 avg60=0.12 avg300=0.07 total=14036781
    full avg10=0.00 avg60=0.01 avg300=0.00 total=1903221
"""

from exporters.collector import Malformed
from exporters.readers.numbers import natural

_BEYOND = 1 << 64


def parse(content: bytes, path: str) -> dict[str, int]:
    """The `total` of each line in microseconds, by the line's first word. Raises Malformed."""
    totals: dict[str, int] = {}
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        try:
            totals[line.split(" ", 1)[0]] = natural(line.rpartition("total=")[2])
        except ValueError as error:
            raise Malformed(path, number, "`some|full … total=<microseconds>`", line) from error
    if not totals:
        raise Malformed(path, 0, "a line `some … total=<microseconds>`, the file is empty")
    return totals


def some_and_full(content: bytes) -> tuple[int | None, int | None]:
    """The totals of both lines; None for one that is not there or can't be understood.

    For the many files of cgroups: at half the cost of `parse`, which looks at what is not two lines as above.
    """
    try:
        head, middle, end = content.split(b" total=")
        some, full = int(middle.partition(b"\nfull ")[0]), int(end)
        if head.startswith(b"some ") and 0 <= some < _BEYOND and 0 <= full < _BEYOND:
            return some, full
    except ValueError:
        pass
    try:
        totals = parse(content, "")
    except Malformed:
        return None, None
    return totals.get("some"), totals.get("full")
