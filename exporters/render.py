"""Families to text: Prometheus' text format 0.0.4 and OpenMetrics 1.0.

Most of a sample's line, `name{labels} `, is the same at each scrape, so the labels' text is made once and kept by
their values; a scrape then costs a look-up and a number a sample. Of a family that has not moved since the last scrape
the whole text is kept as well: on most machines that is most of them. `prometheus_client` builds and escapes every
line anew, and renames counters that lack `_total`.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics 1.0 text format.
"""

import zlib
from collections.abc import Collection, Iterable
from enum import StrEnum
from types import ModuleType

from exporters.collector import BOUNDS, PAIRS, Family, Labels, Metric, Sample

packer: ModuleType
try:
    from isal import isal_zlib as packer  # a sixth of zlib's time, and fewer bytes; made for two kinds of processors
except ModuleNotFoundError:
    packer = zlib

GZIP_LEVEL = 1
"""A fifth of the time of level 9 for a quarter more bytes."""


SPARE = 256
"""Metrics that are gone and still kept, beside as many as there are: files of metrics may change them at will."""


SWEEP = 100
"""Scrapes after which a metric that none of them had is forgotten."""

AGE = 10
"""As many for labels, of which there are more: those of containers that are gone."""


class Format(StrEnum):
    """The content type that goes with each format."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class _Parts(dict[Labels, str]):
    """The text between name and number, `{labels} `, by the labels' values; made when it is first asked for.

    Families with the same label names share one: all those of a cgroup differ in their names only. What was not asked
    for between two calls of `age` is forgotten.
    """

    __slots__ = ("_names", "_old")

    def __init__(self, names: Labels) -> None:
        super().__init__()
        self._names = names
        self._old: dict[Labels, str] = {}

    def __missing__(self, labels: Labels) -> str:
        text = self._old.get(labels) or _text_of(self._names, labels)
        self[labels] = text
        return text

    def age(self) -> None:
        """Those asked for from now on are the young ones."""
        self._old = dict(self)
        self.clear()


class _Bounds(_Parts):
    """Name and labels of the samples of one histogram or summary, whose names differ."""

    __slots__ = ("_metric", "_style")

    def __init__(self, metric: Metric, style: Format) -> None:
        super().__init__(metric.labels)
        self._metric = metric
        self._style = style

    def __missing__(self, labels: Labels) -> str:
        name, names, values = _part(self._metric, labels, self._style)
        text = self._old.get(labels) or f"{name}{_text_of(names, values)}"
        self[labels] = text
        return text


class _Block:
    """What is kept for one metric in one format: its head, the last samples, and their text once they came twice."""

    __slots__ = ("_name", "_parts", "head", "samples", "seen", "text")

    def __init__(self, metric: Metric, style: Format, parts: _Parts) -> None:
        self.head = _text_head(metric) if style is Format.TEXT else _openmetrics_head(metric)
        self.samples: list[Sample] = []
        self.text = b""
        self.seen = 0
        self._name = "" if metric.kind in BOUNDS else metric.name
        self._parts = parts

    def render(self, samples: list[Sample]) -> bytes:
        """Head and lines."""
        if samples == self.samples:
            if not self.text:
                self.text = self._made(samples)
            return self.text
        self.text = b""
        self.samples = samples.copy()  # whoever made the list may change it before the next scrape
        return self._made(samples)

    def _made(self, samples: list[Sample]) -> bytes:
        name, parts = self._name, self._parts
        # x - x is 0 for every finite x: one test for NaN and both infinities
        lines = [
            f"{name}{parts[labels]}{value if value - value == 0 else _special(value)}\n" for labels, value in samples
        ]
        return (self.head + "".join(lines)).encode()


class _Store:
    """What is kept of all metrics in one format."""

    def __init__(self, style: Format) -> None:
        self._style = style
        self._blocks: dict[Metric, _Block] = {}
        self._parts: dict[Labels, _Parts] = {}
        self._bounds: dict[Metric, _Bounds] = {}
        self._most = 0
        self._scrapes = 0

    def render(self, families: Collection[Family]) -> list[bytes]:
        """The texts of those that have samples."""
        self._sweep(families)
        return [self._block(metric).render(samples) for metric, samples in families if samples]

    def _block(self, metric: Metric) -> _Block:
        block = self._blocks.get(metric)
        if block is None:
            block = self._blocks[metric] = _Block(metric, self._style, self._parts_of(metric))
        block.seen = self._scrapes
        return block

    def _parts_of(self, metric: Metric) -> _Parts:
        if metric.kind in BOUNDS:
            return self._bounds.setdefault(metric, _Bounds(metric, self._style))
        if metric.labels not in self._parts:
            self._parts[metric.labels] = _Parts(metric.labels)
        return self._parts[metric.labels]

    def _sweep(self, families: Collection[Family]) -> None:
        """Forget metrics and labels that the last scrapes did not have, and in no case keep many times what one has."""
        self._scrapes += 1
        self._most = max(self._most, len(families))
        if len(self._blocks) > 2 * self._most + SPARE:
            self._blocks.clear()
            self._parts.clear()
            self._bounds.clear()
        elif self._scrapes % SWEEP == 0:
            gone = [metric for metric, block in self._blocks.items() if block.seen <= self._scrapes - SWEEP]
            for metric in gone:
                del self._blocks[metric]
                self._bounds.pop(metric, None)
        samples = sum(len(family.samples) for family in families)
        kept: list[_Parts] = [*self._parts.values(), *self._bounds.values()]
        if self._scrapes % AGE == 0 or sum(map(len, kept)) > 2 * samples + SPARE:
            for parts in kept:
                parts.age()


class Renderer:
    """Holds what is kept between scrapes; one thread at a time."""

    def __init__(self) -> None:
        self._stores = {style: _Store(style) for style in Format}

    def render(self, families: Collection[Family], style: Format) -> list[bytes]:
        """The exposition of `families`, in pieces: of a large machine it has many megabytes, and no second copy is
        needed to pack it. A family without samples leaves no trace.
        """
        pieces = self._stores[style].render(families)
        if style is Format.OPENMETRICS:
            pieces.append(b"# EOF\n")
        return pieces


def pairs(names: Labels, values: Labels) -> str:
    """Labels as both formats write them between the braces."""
    return ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(names, values, strict=True))


def _text_of(names: Labels, values: Labels) -> str:
    if names[:1] == (PAIRS,):
        ready, more = values[0], pairs(names[1:], values[1:])
        text = f"{ready},{more}" if ready and more else ready or more
    else:
        text = pairs(names, values)
    return f"{{{text}}} " if text else " "


def _part(metric: Metric, labels: Labels, style: Format) -> tuple[str, Labels, Labels]:
    """The name, label names and values of one sample of a histogram or summary."""
    part, *values, bound = labels
    if not bound:
        return metric.name + part, metric.labels, tuple(values)
    if style is Format.OPENMETRICS and bound.lstrip("-").isdigit():
        bound += ".0"  # the one spelling that OpenMetrics has for it
    return metric.name + part, (*metric.labels, BOUNDS[metric.kind]), (*values, bound)


def _text_head(metric: Metric) -> str:
    return f"# HELP {metric.name} {_escaped_help(metric.help)}\n# TYPE {metric.name} {metric.kind}\n"


def _openmetrics_head(metric: Metric) -> str:
    """OpenMetrics names a counter without `_total`, and has no counters but those whose samples end in it.

    A counter of another name keeps its name and becomes `unknown`, or the dashboards would not find it.
    """
    name, kind = metric.name, "unknown" if metric.kind == "untyped" else metric.kind
    if kind == "counter" and name.endswith("_total"):
        name = name.removesuffix("_total")
    elif kind == "counter":
        kind = "unknown"
    return f"# HELP {name} {_escaped(metric.help)}\n# TYPE {name} {kind}\n"


def _escaped(text: str) -> str:
    """As both formats want it in quotes, and OpenMetrics in a help."""
    return _escaped_help(text).replace('"', '\\"')


def _escaped_help(text: str) -> str:
    """As the text format wants a help. Bytes of a name that are no UTF-8 are spelt out, so that names stay apart."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _special(value: float) -> str:
    return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"  # noqa: PLR0124 - that is how NaN shows


def negotiate(accept: str) -> Format:
    """The format for an `Accept` header: OpenMetrics for clients that want it and do not take text.

    Prometheus takes both. It gets text, as from node_exporter and cAdvisor: under OpenMetrics it would file the
    type of `node_cpu_seconds_total` under `node_cpu_seconds`, and that of `container_memory_failcnt` as unknown.
    """
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in item.split(";"))
        weights[kind] = max(weights.get(kind, 0.0), _weight(parameters))
    takes_text = any(weights.get(kind) for kind in ("text/plain", "text/*", "*/*"))
    wants_openmetrics = weights.get("application/openmetrics-text")
    return Format.OPENMETRICS if wants_openmetrics and not takes_text else Format.TEXT


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def wants_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header allows gzip."""
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        if coding == "gzip":
            return _weight(parameters) > 0
    return False


def gzipped(pieces: Iterable[bytes]) -> bytes:
    """The pieces of a body as one gzip member."""
    member = packer.compressobj(GZIP_LEVEL, packer.DEFLATED, 16 + packer.MAX_WBITS)
    packed = [member.compress(piece) for piece in pieces]
    return b"".join([*packed, member.flush()])
