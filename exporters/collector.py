"""What a collector is, and what it hands to the renderer. Nothing here reads or writes anything.

A family is a `Metric`, made once when the module is loaded, and the samples of one scrape. Samples are
plain pairs of label values and a number: the renderer keeps the text of `name{labels}` by those values.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal, NamedTuple, Protocol, get_args, runtime_checkable

from exporters.host import Unreadable

Kind = Literal["counter", "gauge", "untyped", "histogram", "summary"]
Labels = tuple[str, ...]
Sample = tuple[Labels, float]
"""Label values and a number. A sample of a histogram or summary has two more values: what its name adds to the
metric's, such as `_bucket` or `_sum`, stands first, and the bound (see BOUNDS) last, empty where there is none.
"""

KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
BOUNDS: dict[Kind, str] = {"histogram": "le", "summary": "quantile"}
"""The kinds whose samples have several names, and the label that tells a bucket or a quantile from the others."""

PAIRS = ""
"""As the first of a metric's labels: the value is no label's but ready-made text, `name="value",name="value"`. Whoever
publishes many metrics of the same things makes it once, and may give each thing other labels.
"""

_BEYOND = 1 << 64


class Metric:
    """A metric's name, type, help and label names: exactly what the peers publish, odd ones included.

    Equality is identity, which makes a metric a cheap key: make it once and keep it.
    """

    __slots__ = ("help", "kind", "labels", "name")

    def __init__(self, kind: Kind, name: str, help: str, labels: Labels = ()) -> None:
        self.kind = kind
        self.name = name
        self.help = help
        self.labels = labels

    def __repr__(self) -> str:
        return f"Metric({self.kind} {self.name})"

    def family(self, samples: list[Sample]) -> "Family":
        """This metric with a scrape's samples; each combination of label values stands there once."""
        return Family(self, samples)

    def single(self, value: float) -> "Family":
        """The family of a metric without labels."""
        return Family(self, [((), value)])


class Family(NamedTuple):
    """All samples of one metric in one scrape."""

    metric: Metric
    samples: list[Sample]


def counter(name: str, help: str, *labels: str) -> Metric:
    """A metric that only grows."""
    return Metric("counter", name, help, labels)


def gauge(name: str, help: str, *labels: str) -> Metric:
    """A metric that goes up and down."""
    return Metric("gauge", name, help, labels)


def untyped(name: str, help: str, *labels: str) -> Metric:
    """A metric whose type the peers leave open."""
    return Metric("untyped", name, help, labels)


class Collector(Protocol):
    """One source of families."""

    def collect(self, now: float) -> Iterable[Family]:
        """The families as they are now; `now` is Unix seconds.

        Called from one thread at a time, once a scrape. It may take as long as a few reads of kernel files;
        what can hang is given a deadline by the collector itself. Raises NoData when this machine does not
        have what the collector reads, Malformed when a file is not as expected; what was yielded before
        stays in the scrape.
        """
        ...


class Fault(NamedTuple):
    """What is wrong with a file that others wrote: where (line 0 is the whole of it), why in a word, and in full."""

    path: str
    line: int
    reason: str
    detail: str


@runtime_checkable
class Guest(Collector, Protocol):
    """A collector of metrics that others wrote, under names that they chose: it runs after all others."""

    def give_way(self, taken: Callable[[], Mapping[str, str]]) -> None:
        """Called once, before all scrapes: while it collects, `taken()` are the names that it may not publish, and
        whose they are.
        """
        ...

    def faults(self) -> Collection[Fault]:
        """What was wrong when it last collected. It publishes the rest, and succeeds."""
        ...


class NoData(Exception):
    """The machine does not have what the collector reads: no error, the reason is the message."""


class Malformed(Exception):
    """A file's content is not as expected: says file, line and what was expected."""

    def __init__(self, path: str, line: int, expected: str, got: object = None) -> None:
        shown = "" if got is None else f", got {got!r:.80}"
        super().__init__(
            f"{path}:{line}: expected {expected}{shown}" if line else f"{path}: expected {expected}{shown}"
        )


def whole(text: str) -> int:
    """A whole number as the kernel writes it. Raises ValueError for anything else, and for what 64 bits can't hold."""
    value = int(text)
    if not -_BEYOND < value < _BEYOND:
        raise ValueError(f"a number of more than 64 bits: {text[:40]}…")
    return value


def required(content: bytes | Unreadable) -> str:
    """A file's text, or NoData naming the file and the reason."""
    if isinstance(content, Unreadable):
        raise NoData(str(content))
    return content.decode(errors="replace")


def optional(content: bytes | Unreadable) -> str:
    """A file's text without the white space around it; empty when the file can't be read."""
    return "" if isinstance(content, Unreadable) else content.decode(errors="replace").strip()
