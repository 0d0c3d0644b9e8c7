"""A scrape as a whole: isolation, self metrics, selection, and what goes to the log."""

from collections.abc import Iterable, Iterator

import pytest

from exporters.collector import Collector, Family, Malformed, NoData, gauge
from exporters.scrape import BadSelection, Group, Scraper
from exporters.testing import ManualTime, RecordingLog, samples_in, text_of

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
    """`container_scrape_error` is 1 while one of its collectors fails."""
    time = ManualTime()
    error = gauge("container_scrape_error", "Error.")
    failing = Failing(ValueError("broken"))
    group = Group.of("cgroup", {"cgroup.cpu": failing}, error)
    under_test = Scraper([group], RecordingLog(), time)
    assert scraped(under_test)["container_scrape_error"] == 1
    failing.error = None
    assert scraped(under_test)["container_scrape_error"] == 0
