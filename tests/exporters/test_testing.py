"""The fakes that this package ships do what they promise."""

from pathlib import Path

from exporters.testing import STATVFS, UNAME, FakeMachine, ManualTime, samples_in, unpack_ttar

ARCHIVE = """# Archive created by ttar
Directory: proc
Mode: 755
# ttar - - - -
Path: proc/loadavg
Lines: 1
0.1 0.2 0.3
Mode: 644
# ttar - - - -
Path: proc/empty
Lines: 0
Mode: 644
# ttar - - - -
Path: sys/unended
Lines: 2
Path: not a header
0EOF
Mode: 644
Path: sys/link
SymlinkTo: ../proc/loadavg
"""


def test_text_archives_are_unpacked(tmp_path: Path) -> None:
    """Contents are taken by their number of lines; `EOF` marks a last line without an end; links stay links."""
    unpack_ttar(ARCHIVE, tmp_path)
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "proc/loadavg": "0.1 0.2 0.3\n",
        "proc/empty": "",
        "sys/unended": "Path: not a header\n0",
        "sys/link": "0.1 0.2 0.3\n",
    }
    assert (tmp_path / "sys/link").readlink() == Path("../proc/loadavg")


def test_a_fake_machine_is_read_by_the_real_host(tmp_path: Path) -> None:
    """Files, system calls and removal."""
    machine = FakeMachine(tmp_path)
    machine.write_all({"loadavg": "1 2 3", "net/dev": b"\xff"}, "proc")
    host = machine.host
    assert host.proc.read("loadavg") == b"1 2 3"
    assert host.proc.read("net/dev") == b"\xff"
    assert host.calls.statvfs("/") == STATVFS
    assert host.calls.uname() == UNAME
    machine.remove("proc/loadavg")
    machine.remove("proc/net")
    assert host.proc.names("") == []


def test_manual_time_moves_when_told() -> None:
    """Both clocks together."""
    time = ManualTime(100.0)
    time.advance(5)
    assert (time.now(), time.monotonic()) == (105.0, 5.0)


def test_samples_are_found_in_an_exposition() -> None:
    """Comments are left out; a label value may hold a space."""
    assert samples_in('# HELP a A.\n# TYPE a gauge\na{b="c d"} 1.5\nplain NaN\n')['a{b="c d"}'] == 1.5
