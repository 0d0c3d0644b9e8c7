"""What a collector lacks the right to is told once, whether it fails for it or not."""

from collections.abc import Iterable
from pathlib import Path

from exporters.collector import Family, gauge, required
from exporters.host import Host
from exporters.scrape import Group, Scraper, Selection
from exporters.testing import FakeMachine, ManualTime, RecordingLog

ONE = gauge("one", "One.")


class Refused:
    """A collector whose only file may be refused, as /proc/slabinfo is."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.refused = True

    def collect(self, now: float) -> Iterable[Family]:
        if self.refused:
            self.host.deny("/proc/slabinfo", "CAP_DAC_READ_SEARCH")
            required(self.host.proc.read("slabinfo"))
        yield ONE.single(1)


def test_a_collector_that_fails_for_lack_of_rights_says_so_once(tmp_path: Path) -> None:
    """And again only after it has been well."""
    log, view = RecordingLog("info"), FakeMachine(tmp_path).host.view()
    collector = Refused(view)
    scraper = Scraper([Group.of("node", {"refused": collector}, denied={"refused": view.denied})], log, ManualTime())
    for refused in (True, True, True, False, True):
        collector.refused = refused
        scraper.scrape(Selection(), list)
    assert [line.split()[1:4] for line in log.lines] == [
        ['event="collector', "lacks", 'rights"'],
        ['event="collector', "works", 'again"'],
        ['event="collector', "lacks", 'rights"'],
    ]
    assert scraper.states == {
        "refused": "lacks the right to read /proc/slabinfo: needs CAP_DAC_READ_SEARCH, or root",
    }


def test_what_is_refused_may_change_with_the_processes_there_are(tmp_path: Path) -> None:
    """It is told again when it takes another right, not when there is more or less of it."""
    log, view = RecordingLog("info"), FakeMachine(tmp_path).host.view()

    class Descriptors:
        def collect(self, now: float) -> Iterable[Family]:
            for path, right in refused.items():
                view.deny(path, right)
            return ()

    group = Group.of("cgroup", {"descriptors": Descriptors()}, denied={"descriptors": view.denied})
    scraper = Scraper([group], log, ManualTime())
    one = {"/proc/1/fd": "CAP_SYS_PTRACE"}
    for now in (one, one | {"/proc/7/fd": "CAP_SYS_PTRACE"}, {"/proc/7/fd": "CAP_DAC_READ_SEARCH"}):
        refused = now
        scraper.scrape(Selection(), list)
    assert [line.rpartition("needs=")[2] for line in log.lines] == ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]
