"""What the machine is: its operating system, its firmware, and SELinux."""

from pathlib import Path

import pytest

from exporters.collector import Malformed, NoData
from exporters.node.dmi import Dmi
from exporters.node.os import OsRelease, parse, unquoted
from exporters.node.selinux import SeLinux, configured
from exporters.testing import FakeMachine, exposed, samples_in

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'


def test_the_operating_system_is_named(tmp_path: Path) -> None:
    """All labels are there, empty or not; version and end of support where the file tells them."""
    machine = FakeMachine(tmp_path)
    machine.write("root/etc/os-release", DEBIAN + "SUPPORT_END=2028-06-30\n")
    assert samples_in(exposed(OsRelease(machine.host))) == {
        'node_os_info{build_id="",id="debian",id_like="",image_id="",image_version="",name="Debian GNU/Linux",'
        'pretty_name="Debian GNU/Linux 12 (bookworm)",variant="",variant_id="",version="",version_codename="",'
        'version_id="12"}': 1,
        'node_os_version{id="debian",id_like="",name="Debian GNU/Linux"}': 12,
        "node_os_support_end_timestamp_seconds": 1_845_936_000,
    }


def test_the_file_below_usr_counts_where_there_is_none_below_etc(tmp_path: Path) -> None:
    """And /etc counts as soon as it has one."""
    machine = FakeMachine(tmp_path)
    machine.write("root/usr/lib/os-release", "ID=arch\n")
    collector = OsRelease(machine.host)
    assert 'id="arch"' in exposed(collector)
    machine.write("root/etc/os-release", "ID=mine\n")
    assert 'id="mine"' in exposed(collector)


def test_an_upgrade_is_seen(tmp_path: Path) -> None:
    """The file is read again when it has become another one."""
    machine = FakeMachine(tmp_path)
    machine.write("root/etc/os-release", "VERSION_ID=12\n")
    collector = OsRelease(machine.host)
    assert 'version_id="12"' in exposed(collector)
    machine.write("root/etc/os-release.new", "VERSION_ID=13\n")
    (tmp_path / "root/etc/os-release.new").replace(tmp_path / "root/etc/os-release")
    assert 'version_id="13"' in exposed(collector)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ('"double quotes"', "double quotes"),
        ("'single $quotes'", "single $quotes"),
        (r'"a \"b\" \$c"', 'a "b" $c'),
        (r'"a\nb \\ \`"', r"a\nb \ `"),
        (r"a\ b", "a b"),
        ("a # comment", "a"),
        ('"a" # comment', "a"),
        ("a#b", "a#b"),
        ("", ""),
        ('"no end', None),
        ("'no end", None),
    ],
)
def test_values_are_a_shells(text: str, expected: str | None) -> None:
    """Quotes, escapes and comments, as os-release(5) says."""
    assert unquoted(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a=b\n\n  export ID = x  \n", {"ID": "x"}),
        ('NAME="a\u2028b\x0cc"\r\nA.B=1\r\n', {"NAME": "a\u2028b\x0cc", "A.B": "1"}),
    ],
)
def test_lines_and_names(text: str, expected: dict[str, str]) -> None:
    """Comments, empty lines and white space around a line are nothing; a line ends with a line feed and not before."""
    assert parse(text, "os-release") == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("ID=x\nrubbish\n", "etc/os-release:2: expected `NAME=value`, quotes in pairs, got 'rubbish'"),
        ('NAME="x\n', "etc/os-release:1: expected `NAME=value`"),
        ("SUPPORT_END=soon\n", "etc/os-release: expected a date such as SUPPORT_END=2030-12-31, got soon"),
        ("SUPPORT_END=2030-02-31\n", "etc/os-release: expected a date such as"),
    ],
)
def test_a_broken_os_release_is_named(tmp_path: Path, content: str, expected: str) -> None:
    """File, line, what was expected and what stands there."""
    machine = FakeMachine(tmp_path)
    machine.write("root/etc/os-release", content)
    with pytest.raises(Malformed, match=expected):
        exposed(OsRelease(machine.host))


def test_a_machine_without_a_name_says_so(tmp_path: Path) -> None:
    """NoData names the first of the places."""
    with pytest.raises(NoData, match="etc/os-release"):
        exposed(OsRelease(FakeMachine(tmp_path).host))


def test_the_firmware_names_what_it_knows(tmp_path: Path) -> None:
    """A label for each file, also for an empty one; bytes that are no text become one sign."""
    machine = FakeMachine(tmp_path)
    files: dict[str, str | bytes] = {"sys_vendor": "Dell Inc.\n", "board_name": b"x\xff\xfe\n", "board_serial": "\n"}
    machine.write_all(files, "sys/class/dmi/id")
    assert samples_in(exposed(Dmi(machine.host))) == {
        'node_dmi_info{board_name="x\ufffd",board_serial="",system_vendor="Dell Inc."}': 1
    }


def test_a_machine_without_firmware_tables_says_so(tmp_path: Path) -> None:
    """Many virtual machines have none."""
    with pytest.raises(NoData, match="class/dmi/id/bios_date"):
        exposed(Dmi(FakeMachine(tmp_path).host))


def test_selinux_that_is_off_is_told(tmp_path: Path) -> None:
    """Its file system is not there."""
    assert samples_in(exposed(SeLinux(FakeMachine(tmp_path).host))) == {"node_selinux_enabled": 0}


@pytest.mark.parametrize(
    ("enforce", "config", "expected"),
    [("1", "SELINUX=enforcing\n", (1, 1)), ("0", "SELINUX=enforcing\n", (1, 0)), ("?", "", (-1, -1))],
)
def test_selinux_that_is_on_has_two_modes(tmp_path: Path, enforce: str, config: str, expected: tuple[int, int]) -> None:
    """That of the next boot, and that of the moment."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/fs/selinux/enforce", enforce)
    machine.write("proc/self/attr/current", "system_u:system_r:init_t:s0\0")
    machine.write("root/etc/selinux/config", config)
    assert samples_in(exposed(SeLinux(machine.host))) == {
        "node_selinux_enabled": 1,
        "node_selinux_config_mode": expected[0],
        "node_selinux_current_mode": expected[1],
    }


def test_selinux_without_a_policy_is_off(tmp_path: Path) -> None:
    """Every process is labelled `kernel` then."""
    machine = FakeMachine(tmp_path)
    machine.write("sys/fs/selinux/enforce", "0")
    machine.write("proc/self/attr/current", "kernel\0")
    assert samples_in(exposed(SeLinux(machine.host))) == {"node_selinux_enabled": 0}


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("# SELINUX=disabled\nSELINUX=permissive\nSELINUXTYPE=targeted\n", 0),
        (' SELINUX="enforcing"\n', 1),
        ("SELINUX=disabled\n", -1),
        ("", -1),
    ],
)
def test_the_configured_mode(text: str, mode: int) -> None:
    """The line that is no comment; whatever is not known is off."""
    assert configured(text) == mode
