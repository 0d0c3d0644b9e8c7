"""The lines that an operator reads."""

import io
import json

import pytest

from exporters.log import Log


def test_logfmt_is_one_line_an_event() -> None:
    """Time, level, event, component, fields; what needs quotes has them."""
    stream = io.StringIO()
    Log(stream=stream, now=lambda: 0.0).warning("no data", collector="cpu", reason='a "b"\n=c', empty="", count=3)
    assert stream.getvalue() == (
        'ts=1970-01-01T00:00:00.000Z level=warning event="no data" component=exporter '
        'collector=cpu reason="a \\"b\\"\\n=c" empty="" count=3\n'
    )


def test_json_is_one_object_a_line() -> None:
    """The same fields."""
    stream = io.StringIO()
    Log(style="json", stream=stream, now=lambda: 0.0).info("listening", url="http://127.0.0.1:9100")
    assert json.loads(stream.getvalue()) == {
        "ts": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "event": "listening",
        "component": "exporter",
        "url": "http://127.0.0.1:9100",
    }


class ClosedPipe(io.StringIO):
    """A stream whose reader is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_is_gone_is_no_failure() -> None:
    """Metrics are wanted all the same."""
    Log(stream=ClosedPipe()).error("nobody hears this")


@pytest.mark.parametrize(("level", "lines"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_what_is_below_the_level_is_not_written(level: str, lines: int) -> None:
    """Each level includes the graver ones."""
    stream = io.StringIO()
    log = Log(level, stream=stream)
    for say in (log.debug, log.info, log.warning, log.error):
        say("event")
    assert len(stream.getvalue().splitlines()) == lines
