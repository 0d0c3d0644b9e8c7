"""Every flag of the newest node_exporter is a flag of ours, but those of the collectors that are not built."""

import re
import subprocess

import pytest

from exporters import catalog, cli
from tests.stack.servers.node_exporter import reference

pytestmark = pytest.mark.stack

NOT_OURS = {
    # how the same numbers are fetched: ours reads them from one place
    *("collector.netclass.netlink", "collector.netclass_rtnl.with-stats"),
    # a folder of test data
    "collector.qdisc.fixtures",
    # of kingpin, which parses its flags
    *("help-long", "version", "help"),
}
"""Flags that have no counterpart, and why."""


def flags(text: str) -> set[str]:
    """The flags that a help text names."""
    return {match[1] for match in re.finditer(r"^ +(?:-\w, )?--(?:\[no-\])?([\w.-]+)", text, re.MULTILINE)}


def test_flags_of_node_exporter_are_known_here() -> None:
    """By name; a switch has its `--no-` as well."""
    told = subprocess.run([reference(), "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    ours = {flag.removeprefix("--") for option in cli.command.params for flag in option.opts}
    missing = flags(told) - ours - NOT_OURS
    assert {flag for flag in missing if flag.split(".")[1] not in catalog.NOT_BUILT} == set()
    assert len(flags(told)) > 150
