"""Prometheus' node_exporter, the peer of our exporters: Debian's, and the one that our names are held against."""

from pathlib import Path

from tests.stack.servers.golang import installed
from tests.stack.servers.programs import find_program

VERSION = "v1.12.1"
"""What our collectors were written to equal; a newer one is a reason to read its changelog."""


def reference() -> Path:
    """node_exporter VERSION, built from the module proxy. Raises StartError."""
    return installed("github.com/prometheus/node_exporter", VERSION, (1, 25))


def debians() -> Path:
    """The program of Debian's package. Raises StartError when it is not installed."""
    return find_program("prometheus-node-exporter")
