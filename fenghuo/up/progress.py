"""What a person sees in the terminal: the parts as they become ready, a table of URLs, then what happens.

On a terminal the start is a live display; otherwise every change is a plain line. Text that comes from
outside (messages, errors) is freed of control characters: a log line must not steer a terminal.
"""

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from fenghuo.up.messages import Message
from fenghuo.up.parts import Change, State
from fenghuo.up.plan import PartSpec
from fenghuo.up.status import aligned
from fenghuo.up.times import seconds_of, time_of_day

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_STYLES = {"firing": "bold red", "resolved": "bold green"}
_STATES = {State.READY: "green", State.SILENT: "red", State.WAITING: "yellow"}

Row = tuple[str, str]


class PatientConsole(Console):
    """A console that falls silent when nobody reads it any more: what it watches over must go on, or end in order."""

    def on_broken_pipe(self) -> None:
        self.quiet = True

    def print(self, *objects: Any, **options: Any) -> None:
        try:
            super().print(*objects, **options)
        except OSError:  # the terminal is gone
            self.quiet = True


def printable(text: str) -> str:
    """The text without what could steer a terminal; tabs and line ends stay."""
    return _CONTROLS.sub("", text)


class Progress:
    """Tells a person. `parts` are shown in their order while the start lasts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._changes: dict[str, Change] = {}
        self._titles: dict[str, str] = {}
        self._live: Live | None = None

    def begin(self, parts: Sequence[PartSpec]) -> None:
        """The start begins."""
        self._titles = {part.name: part.title for part in parts}
        if self._console.is_terminal:
            self._live = Live(self._display(), console=self._console, refresh_per_second=12, transient=True)
            self._live.start()

    def end(self) -> None:
        """The start is over, in whatever way."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, text: str) -> None:
        """A line."""
        self._console.print(Text(printable(text)), soft_wrap=True)

    def changed(self, change: Change) -> None:
        """A part changed; on a live display its row does, and troubles are lines of their own."""
        self._changes[change.name] = change
        if self._live is not None:
            self._live.update(self._display())
        if self._live is None or change.trouble:
            self._line(change)

    def _line(self, change: Change) -> None:
        if change.text in (State.STARTING, State.STOPPED) and not change.trouble:
            return
        style = "yellow" if change.trouble else ""
        self._console.print(Text(printable(f"{change.title} {change.text}"), style=style), soft_wrap=True)

    def _display(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        for name, title in self._titles.items():
            change = self._changes.get(name)
            state = change.state if change else State.WAITING
            done = state is State.READY
            mark = Text("✔", style="green") if done else Spinner("dots")
            note = change.text if change and change.trouble else str(state)
            grid.add_row(mark, Text(title), Text(printable(note), style=_STATES.get(state, "")))
        return grid

    def closing(self, rows: Sequence[Row], hints: Sequence[str]) -> None:
        """The table of what is where, and what to try."""
        self.say("")
        if self._console.is_terminal:
            grid = Table(show_header=False, box=None, padding=(0, 2))
            grid.add_column(style="bold")
            grid.add_column(overflow="fold")
            for what, where in rows:
                grid.add_row(what, Text(printable(where), style="cyan" if "://" in where else ""))
            self._console.print(grid)
        else:
            for line in aligned(rows):
                self.say(line)
        self.say("")
        for hint in hints:
            self.say(hint)

    def message(self, message: Message) -> None:
        """A message of the alert engine has arrived."""
        time = time_of_day(seconds_of(message.sent_at))
        line = Text(f"{time}  ")
        line.append(message.status.upper(), style=_STYLES.get(message.status, "bold"))
        line.append("  " + printable(message.subject), style="bold")
        self._console.print(line, soft_wrap=True)
        for text in printable(message.text).splitlines():
            if text.strip() and text.strip() != message.title:
                self.say(f"          {text}")
