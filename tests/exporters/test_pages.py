"""The pages: how many may ask at once, how long a scraper waits, and what a person reads in a browser."""

import base64
import hashlib
import re
import threading
from collections.abc import Iterable
from html.parser import HTMLParser

import pytest

from exporters.collector import Collector, Family, NoData, gauge
from exporters.messages import Request, Response
from exporters.pages import Site, deadline
from exporters.scrape import Group, Scraper
from exporters.testing import ManualTime, RecordingLog

ONE = gauge("one", "One.")


class Well:
    """A collector that has what it should have."""

    def collect(self, now: float) -> Iterable[Family]:
        yield ONE.single(1)


class Absent:
    """A collector of what this machine lacks; the reason is not the collector's own text."""

    def collect(self, now: float) -> Iterable[Family]:
        raise NoData("<script>alert('sensors')</script>: absent")


class Waiting:
    """A collector that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go = threading.Event()

    def collect(self, now: float) -> Iterable[Family]:
        self.asked.set()
        self.go.wait(5)
        yield ONE.single(1)


def site(collectors: dict[str, Collector], most_scrapes: int = 40) -> Site:
    scraper = Scraper([Group.of("node", collectors)], RecordingLog(), ManualTime())
    return Site(scraper, "/metrics", most_scrapes, ["spare", "well", "absent"])


def get(under_test: Site, path: str, **headers: str) -> Response:
    return under_test.handle(Request("GET", path, {}, headers))


class Reader(HTMLParser):
    """The text of each table row, the links, and the names of all elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


def test_a_person_reads_what_each_collector_does() -> None:
    """On or off, those that are on first, how it fares, and how long it took; before the first scrape that is said."""
    under_test = site({"well": Well(), "absent": Absent()})
    assert [row[:3] for row in Reader(get(under_test, "/").body.decode()).rows] == [
        ["name", "", "state"],
        ["well", "on", "not asked yet"],
        ["absent", "on", "not asked yet"],
        ["spare", "off", ""],
    ]
    under_test.warm_up()
    page = Reader(get(under_test, "/").body.decode())
    assert page.rows[1:] == [
        ["well", "on", "well", "0.00 ms"],
        ["absent", "on", "<script>alert('sensors')</script>: absent", "0.00 ms"],
        ["spare", "off", "", ""],
    ]
    assert page.links[:3] == ["/metrics", "/-/healthy", "/-/ready"]
    assert "/metrics?collect[]=well" in page.links


def test_the_page_can_load_and_run_nothing() -> None:
    """Its policy allows one style, which is the one it has; whatever a collector says stays text."""
    under_test = site({"absent": Absent()})
    under_test.warm_up()
    answer = get(under_test, "/")
    text = answer.body.decode()
    (style,) = re.findall("<style>(.*)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy == [
        *("default-src 'none'", f"style-src 'sha256-{digest}'", "base-uri 'none'", "form-action 'none'"),
        "frame-ancestors 'none'",
    ]
    assert "script" not in Reader(text).elements


def test_the_page_spells_out_bytes_of_a_path_that_are_no_text() -> None:
    """A reason names paths as the file system has them."""

    class Nameless:
        def collect(self, now: float) -> Iterable[Family]:
            raise NoData("/srv/caf\udce9: absent")

    under_test = site({"absent": Nameless()})
    get(under_test, "/metrics")
    page = get(under_test, "/")
    assert page.status == 200
    assert "/srv/caf\\udce9: absent" in page.body.decode()


def test_more_scrapes_than_allowed_are_turned_away() -> None:
    """At once and with 503; what is not a scrape is answered, and a place that is free again is given to the next."""
    waiting = Waiting()
    under_test = site({"waiting": waiting}, most_scrapes=1)
    statuses: list[int] = []
    first = threading.Thread(target=lambda: statuses.append(get(under_test, "/metrics").status))
    first.start()
    assert waiting.asked.wait(5)
    refused = get(under_test, "/metrics")
    assert (refused.status, refused.body) == (503, b"Limit of concurrent requests reached (1), try again later.\n")
    assert get(under_test, "/-/healthy").status == 200
    waiting.go.set()
    first.join(5)
    assert statuses == [200]
    assert get(under_test, "/metrics").status == 200


def test_zero_is_no_limit() -> None:
    under_test = site({"well": Well()}, most_scrapes=0)
    assert [get(under_test, "/metrics").status for _ in range(50)] == [200] * 50


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("10", 9.0),
        ("10.000000", 9.0),
        ("2", 1.5),
        ("60", 54.0),
        ("0.6", 0.3),
        ("0.001", 0.0005),
        ("", None),
        ("0", None),
        ("-3", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("1" * 400, None),
    ],
)
def test_a_scraper_is_answered_before_it_gives_up(told: str, seconds: float | None) -> None:
    """A tenth of its patience is left for the way, at least half a second; rubbish is no deadline."""
    assert deadline({"x-prometheus-scrape-timeout-seconds": told}) == (
        seconds if seconds is None else pytest.approx(seconds)
    )


def test_a_scraper_in_a_hurry_gets_what_there_is_in_time() -> None:
    """A collector that hangs costs its own metrics, and the scraper is answered within its patience."""
    waiting = Waiting()
    under_test = site({"waiting": waiting, "well": Well()})
    headers = {"x-prometheus-scrape-timeout-seconds": "0.2"}
    answer = get(under_test, "/metrics", **headers)
    waiting.go.set()
    assert answer.status == 200
    assert 'node_scrape_collector_success{collector="waiting"} 0' in answer.body.decode()


def test_a_scraper_behind_one_that_takes_long_is_answered_within_its_own_time() -> None:
    """To wait for its turn is part of its time: 503 says what it waited for."""
    waiting = Waiting()
    under_test = site({"waiting": waiting})
    first = threading.Thread(target=get, args=(under_test, "/metrics"))
    first.start()
    assert waiting.asked.wait(5)
    answer = get(under_test, "/metrics", **{"x-prometheus-scrape-timeout-seconds": "0.2"})
    assert first.is_alive()
    waiting.go.set()
    first.join(5)
    assert (answer.status, answer.body) == (503, b"the scrape before this one was not done within 0.1 seconds\n")


def test_metrics_may_take_the_place_of_the_page() -> None:
    scraper = Scraper([Group.of("node", {"well": Well()})], RecordingLog(), ManualTime())
    assert get(Site(scraper, "/"), "/").body.startswith(b"# HELP one One.")
