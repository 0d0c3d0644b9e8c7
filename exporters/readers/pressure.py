"""Pressure stall information: the time that tasks waited for a resource, of the machine and of each cgroup of v2.

Format: Documentation/accounting/psi.rst of the kernel. `some` is the time in which at least one task waited, `full`
that in which no task could go on:

    some avg10=0.00 avg60=0.12 avg300=0.07 total=14036781
    full avg10=0.00 avg60=0.01 avg300=0.00 total=1903221
"""

from exporters.collector import Malformed
from exporters.readers.numbers import natural


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
