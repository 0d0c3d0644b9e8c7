"""Found lines as people and programs read them."""

import click

from log_pipeline.search.find import Found, FoundLine
from log_pipeline.search.output import as_text, found_as_json

LINE = FoundLine("2026-11-21T09:30:00.000Z", "no money", "shop", "web-1", "app", "n1", "stderr", "error", "/x.log", 7)


def test_a_line_reads_time_place_level_message() -> None:
    assert click.unstyle(as_text(LINE)) == "2026-11-21T09:30:00.000Z shop/web-1[app] error no money"


def test_an_error_is_red() -> None:
    assert click.style("error", fg="red") in as_text(LINE)


def test_a_line_of_no_pod_shows_its_file() -> None:
    line = FoundLine("2026-11-21T09:30:00.000Z", "hello", path="/var/log/app.log")
    assert click.unstyle(as_text(line)) == "2026-11-21T09:30:00.000Z /var/log/app.log hello"


def test_a_log_line_cant_steer_the_terminal() -> None:
    line = FoundLine("2026-11-21T09:30:00.000Z", "a\tb\x1b[2J\r\nc\x07 支付", path="/p")
    assert click.unstyle(as_text(line)).endswith(r" a" + "\t" + r"b\x1b[2J\r\nc\x07 支付")


def test_the_answer_of_the_route_is_plain_json() -> None:
    assert found_as_json(Found((LINE,), 12, exact=False), took=0.01234) == {
        "took_ms": 12.3,
        "total": 12,
        "total_is_exact": False,
        "lines": [
            {
                "timestamp": "2026-11-21T09:30:00.000Z",
                "message": "no money",
                "namespace": "shop",
                "pod": "web-1",
                "container": "app",
                "node": "n1",
                "stream": "stderr",
                "level": "error",
                "path": "/x.log",
                "offset": 7,
            }
        ],
    }
