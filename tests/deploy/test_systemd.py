"""The unit of the exporter starts what is installed, and leaves its sandbox open where a collector looks through."""

from collections import defaultdict

from fenghuo.cli import COMMANDS
from tests.deploy.compose import ROOT

UNIT = ROOT / "deploy/systemd/fenghuo-exporter.service"


def settings() -> dict[str, list[str]]:
    """The unit's settings, each with its values in order."""
    found = defaultdict(list)
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


def test_it_starts_the_exporter_with_the_operators_flags() -> None:
    """Those of a file that need not be there."""
    unit = settings()
    assert unit["ExecStart"] == ["/opt/fenghuo/bin/fenghuo exporter $OPTIONS"]
    assert "exporter" in COMMANDS
    assert (unit["Environment"], unit["EnvironmentFile"]) == (["OPTIONS="], ["-/etc/default/fenghuo-exporter"])


def test_it_has_no_rights_of_its_own() -> None:
    """A user that comes and goes, no capability, nothing to write to."""
    unit = settings()
    assert (unit["DynamicUser"], unit["CapabilityBoundingSet"], unit["NoNewPrivileges"]) == (["yes"], [""], ["yes"])
    assert unit["ProtectSystem"] == ["strict"]


def test_what_collectors_look_at_is_not_hidden_from_them() -> None:
    """/home as it is, the host's name, all of /proc, netlink, and the clock's state after the calls that are denied."""
    unit = settings()
    assert unit["ProtectHome"] == ["read-only"]
    assert {"ProtectClock", "ProtectHostname", "ProtectProc", "ProcSubset", "PrivateNetwork"}.isdisjoint(unit)
    assert "AF_NETLINK" in unit["RestrictAddressFamilies"][0].split()
    assert unit["SystemCallFilter"].index("adjtimex clock_adjtime") > unit["SystemCallFilter"].index(
        "~@privileged @resources"
    )
