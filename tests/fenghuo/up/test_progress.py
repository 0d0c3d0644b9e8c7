"""What a person reads: plain lines in a pipe, a display and a table on a terminal, never a steering code."""

import io

from rich.console import Console

from fenghuo.up.messages import Message
from fenghuo.up.parts import Change, State
from fenghuo.up.plan import PartSpec
from fenghuo.up.progress import PatientConsole, Progress, printable
from fenghuo.up.times import seconds_of, time_of_day

PARTS = [PartSpec("node", "node exporter", "http://127.0.0.1:9100"), PartSpec("logs", "log pipeline", "http://x")]
FIRING = Message(
    1, "2026-11-21T10:11:12.345Z", "firing", "LogErrorBurst shop", "LogErrorBurst shop\nshop logs 7 errors/s"
)


def shown(terminal: bool) -> str:
    out = io.StringIO()
    progress = Progress(Console(file=out, force_terminal=terminal, width=60, highlight=False))
    progress.begin(PARTS)
    progress.changed(Change("node", "node exporter", State.STARTING, "starting"))
    progress.changed(Change("node", "node exporter", State.READY, "is ready"))
    progress.changed(
        Change("logs", "log pipeline", State.WAITING, "exited with code 1; starting it again", trouble=True)
    )
    progress.end()
    progress.closing([("page", "http://127.0.0.1:8600"), ("state folder", "/s/" + "long/" * 20)], ["Ctrl-C stops"])
    progress.message(FIRING)
    return out.getvalue()


def test_in_a_pipe_there_are_plain_unbroken_lines() -> None:
    assert shown(terminal=False).splitlines() == [
        "node exporter is ready",
        "log pipeline exited with code 1; starting it again",
        "",
        "page          http://127.0.0.1:8600",
        "state folder  /s/" + "long/" * 20,
        "",
        "Ctrl-C stops",
        f"{time_of_day(seconds_of(FIRING.sent_at))}  FIRING  LogErrorBurst shop",
        "          shop logs 7 errors/s",
    ]


def test_on_a_terminal_the_same_facts_are_there() -> None:
    text = shown(terminal=True)
    assert "\x1b[" in text
    for fact in ("log pipeline exited with code 1", "http://127.0.0.1:8600", "FIRING", "LogErrorBurst shop"):
        assert fact in text


def test_text_from_outside_can_not_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07c\rd\u202ee\x9b1mf\tg\n") == "a[2Jbcde1mf\tg\n"


class GoneTerminal(io.StringIO):
    """Nobody reads it."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise OSError("gone")


def test_a_reader_that_goes_away_ends_nothing() -> None:
    progress = Progress(PatientConsole(file=GoneTerminal(), highlight=False))
    progress.message(FIRING)
    progress.say("still here")
