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
