"""A scrape as a whole: isolation, self metrics, selection, and what goes to the log."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from exporters.collector import Collector, Family, Fault, Malformed, NoData, gauge
from exporters.host import Host
from exporters.scrape import BadSelection, Group, Limits, Scraper, Selection
from exporters.testing import FakeMachine, ManualTime, RecordingLog, samples_in, text_of

UP = gauge("good", "Good.")
PARTLY = gauge("partly", "Partly good.")


class Good:
    """Publishes one family."""

    def collect(self, now: float) -> Iterable[Family]:
        return [UP.single(now)]


class Failing:
    """Publishes one family and then raises."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    def collect(self, now: float) -> Iterator[Family]:
        yield PARTLY.single(1)
        if self.error is not None:
            raise self.error


class Slow:
    """Takes three seconds."""

    def __init__(self, time: ManualTime) -> None:
        self.time = time

    def collect(self, now: float) -> Iterable[Family]:
        self.time.advance(3)
        return ()


def scraper(time: ManualTime | None = None, log: RecordingLog | None = None, **collectors: Collector) -> Scraper:
    clock = time if time is not None else ManualTime(1000.0)
    group = Group.of("node", collectors)
    return Scraper([group], log if log is not None else RecordingLog(), clock)


def scraped(under_test: Scraper, only: Iterable[str] = (), without: Iterable[str] = ()) -> dict[str, float]:
    return samples_in(under_test.scrape(under_test.select(only, without), text_of))


@pytest.mark.parametrize("error", [NoData("not here"), Malformed("/proc/x", 3, "a number"), ZeroDivisionError("oh")])
def test_a_collector_that_fails_spoils_nothing_but_itself(error: Exception) -> None:
    """Its success is 0, what it had published stays, and its neighbours are complete."""
    samples = scraped(scraper(failing=Failing(error), good=Good()))
    assert samples["good"] == 1000.0
    assert samples["partly"] == 1
    assert samples['node_scrape_collector_success{collector="failing"}'] == 0
    assert samples['node_scrape_collector_success{collector="good"}'] == 1


def test_durations_are_measured_by_collector() -> None:
    """Each collector's seconds are its own."""
    time = ManualTime()
    samples = scraped(scraper(time, slow=Slow(time), good=Good()))
    assert samples['node_scrape_collector_duration_seconds{collector="slow"}'] == 3.0
    assert samples['node_scrape_collector_duration_seconds{collector="good"}'] == 0.0


def test_a_failure_is_logged_once_and_so_is_its_end() -> None:
    """The log names collector, file, line and reason when it begins, and says when it is over."""
    log = RecordingLog()
    failing = Failing(Malformed("/proc/stat", 3, "numbers", "cpu x"))
    under_test = scraper(log=log, cpu=failing)
    scraped(under_test)
    scraped(under_test)
    failing.error = None
    scraped(under_test)
    assert log.lines == [
        (
            'level=warning event="collector has no data" component=exporter collector=cpu '
            "reason=\"/proc/stat:3: expected numbers, got 'cpu x'\""
        ),
        'level=info event="collector works again" component=exporter collector=cpu',
    ]


def test_what_a_machine_does_not_have_is_only_for_debugging() -> None:
    """NoData is no error: it does not reach the log of an operator."""
    log = RecordingLog("info")
    scraped(scraper(log=log, bonding=Failing(NoData("no bonds"))))
    assert log.lines == []


@pytest.mark.parametrize(
    ("only", "without", "expected"),
    [
        ([], [], {"a", "b"}),
        (["a"], [], {"a"}),
        ([], ["a"], {"b"}),
        (["node"], [], {"a", "b"}),
        ([], ["node"], set()),
    ],
)
def test_a_request_selects_collectors_or_groups(only: list[str], without: list[str], expected: set[str]) -> None:
    """`collect[]` takes names and groups, `exclude[]` leaves them out; only those that ran report success."""
    samples = scraped(scraper(a=Good(), b=Failing(NoData(""))), only, without)
    ran = {name.split('"')[1] for name in samples if name.startswith("node_scrape_collector_success")}
    assert ran == expected


@pytest.mark.parametrize(("only", "without"), [(["a"], ["b"]), (["nonsense"], []), ([], ["nonsense"])])
def test_a_selection_that_makes_no_sense_is_refused(only: list[str], without: list[str]) -> None:
    """Both filters at once, or an unknown name, and nothing is collected."""
    with pytest.raises(BadSelection, match=r"collect\[\]|nonsense"):
        scraper(a=Good(), b=Good()).select(only, without)


def test_the_cgroup_group_reports_errors_as_cadvisor_does() -> None:
    """`container_scrape_error` is 1 while one of its collectors fails, and 0 for what this machine does not have."""
    time = ManualTime()
    error = gauge("container_scrape_error", "Error.")
    failing = Failing(ValueError("broken"))
    group = Group.of("cgroup", {"cgroup.cpu": failing}, error)
    under_test = Scraper([group], RecordingLog(), time)
    assert scraped(under_test)["container_scrape_error"] == 1
    failing.error = NoData("cgroup v1 does not account for pressure")
    assert scraped(under_test)["container_scrape_error"] == 0
    failing.error = None
    assert scraped(under_test)["container_scrape_error"] == 0


class Hanging:
    """Blocks until it is released, and says then when it was asked."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = 0

    def collect(self, now: float) -> Iterable[Family]:
        self.asked += 1
        self.released.wait(30)
        return [PARTLY.single(now)]


def test_a_collector_that_hangs_delays_the_scrape_by_its_deadline_and_spoils_nothing() -> None:
    """Its success is 0, the others are complete, it is not asked again while it hangs, and no thread is added."""
    hanging, log = Hanging(), RecordingLog()
    group = Group.of("node", {"before": Good(), "hanging": hanging, "other": Good()})
    under_test = Scraper([group], log, ManualTime(1000.0), limits=Limits(collector=0.05, scrape=5.0))
    threads: list[int] = []
    for _ in range(3):
        samples = scraped(under_test)
        threads.append(threading.active_count())
        assert samples['node_scrape_collector_success{collector="hanging"}'] == 0
        assert samples['node_scrape_collector_duration_seconds{collector="hanging"}'] == 0.05
        assert samples['node_scrape_collector_success{collector="before"}'] == 1
        assert samples['node_scrape_collector_success{collector="other"}'] == 1
    assert hanging.asked == 1
    assert threads[0] == threads[-1]
    assert len([line for line in log.lines if "collector=hanging" in line and "hangs" in line]) == 1
    hanging.released.set()
    under_test._patience._hanging["node", "hanging"].join(5)
    assert scraped(under_test)['node_scrape_collector_success{collector="hanging"}'] == 1


def test_a_collector_that_hangs_takes_no_more_than_its_own_time() -> None:
    """Those that answered before it don't prolong it: what is left of the scrape's time is for those after it."""
    hanging = Hanging()
    group = Group.of("node", {"before": Good(), "hanging": hanging, "other": Good()})
    under_test = Scraper([group], RecordingLog(), ManualTime(), limits=Limits(collector=0.3, scrape=0.55))
    samples = scraped(under_test)
    hanging.released.set()
    successes = [samples[f'node_scrape_collector_success{{collector="{name}"}}'] for name in group.collectors]
    assert successes == [1, 0, 1]


def test_the_scrapers_own_deadline_is_kept() -> None:
    """Who waits a twentieth of a second gets what there is by then."""
    hanging = Hanging()
    group = Group.of("node", {"good": Good(), "hanging": hanging, "late": Good()})
    under_test = Scraper([group], RecordingLog(), ManualTime(), limits=Limits(collector=20.0, scrape=20.0))
    samples = samples_in(under_test.scrape(under_test.select((), ()), text_of, deadline=0.05))
    hanging.released.set()
    successes = [samples[f'node_scrape_collector_success{{collector="{name}"}}'] for name in group.collectors]
    assert successes == [1, 0, 0]


class Secretive:
    """Reads a file that it may not read, when it is there."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def collect(self, now: float) -> Iterable[Family]:
        if self._host.proc.read("secret"):
            self._host.deny("adjtimex(2)", "CAP_SYS_TIME")
        return [PARTLY.single(1)]


def test_a_collector_that_lacks_rights_says_which(tmp_path: Path) -> None:
    """The log names the collector, what it could not read and the right that this takes; once, not at every scrape."""
    machine, log = FakeMachine(tmp_path), RecordingLog("info")
    machine.write("proc/secret", "x")
    view = machine.host.view()
    group = Group.of("node", {"secretive": Secretive(view)}, denied={"secretive": view.denied})
    under_test = Scraper([group], log, ManualTime())
    assert scraped(under_test)['node_scrape_collector_success{collector="secretive"}'] == 1
    scraped(under_test)
    assert log.lines == [
        (
            'level=warning event="collector lacks rights" component=exporter collector=secretive path=adjtimex(2) '
            "others=0 needs=CAP_SYS_TIME"
        )
    ]
    assert under_test.states == {"secretive": "lacks the right to read adjtimex(2): needs CAP_SYS_TIME, or root"}


class Written:
    """A collector of what others wrote: it publishes the names it was given that are free."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.wrong: list[Fault] = []
        self.taken: Callable[[], Mapping[str, str]] = dict

    def give_way(self, taken: Callable[[], Mapping[str, str]]) -> None:
        self.taken = taken

    def faults(self) -> list[Fault]:
        return self.wrong

    def collect(self, now: float) -> Iterator[Family]:
        taken = self.taken()
        self.wrong = [Fault("x.prom", 1, "name taken", f"by {taken[name]}") for name in self.names if name in taken]
        yield from (gauge(name, "Written.").single(1) for name in self.names if name not in taken)


def test_a_guest_knows_all_names_wherever_it_stands() -> None:
    """Those of the collectors before and after it, of the exporter itself, and of its own self metrics."""
    names = ("good", "free", "always", "node_scrape_collector_success")
    guest = Written(*names)

    class Always:
        def collect(self, now: float) -> Iterable[Family]:
            return [gauge("always", "Always.").single(2)]

    group = Group.of("node", {"a": guest, "good": Good()})
    under_test = Scraper([group], RecordingLog(), ManualTime(1000.0), [Always()])
    text = under_test.scrape(Selection(), text_of)
    assert [text.count(f"# TYPE {name} ") for name in names] == [1, 1, 1, 1]
    assert samples_in(text)["free"] == 1
    assert [fault.detail for fault in guest.wrong] == ["by good", "by the exporter itself", "by the exporter itself"]


def test_a_name_stays_taken_in_scrapes_that_leave_its_collector_out() -> None:
    """Or a series would mean one thing in one scrape and another in the next."""
    under_test = scraper(guest=Written("good", "free"), good=Good())
    scraped(under_test)
    assert "good" not in scraped(under_test, only=["guest"])


def test_faults_of_a_guest_are_logged_when_they_begin_and_end_and_it_succeeds_all_the_same() -> None:
    """With file, line and reason."""
    log = RecordingLog()
    guest = Written("good")
    under_test = scraper(log=log, guest=guest, good=Good())
    for _ in range(2):
        assert scraped(under_test)['node_scrape_collector_success{collector="guest"}'] == 1
    guest.names = ()
    scraped(under_test)
    where = "component=exporter collector=guest path=x.prom"
    assert log.lines == [
        f'level=warning event="metrics left out" {where} line=1 why="name taken" reason="by good"',
        f'level=info event="no fault any more" {where}',
    ]
