"""Families to text: Prometheus' text format 0.0.4 and OpenMetrics 1.0.

Most of a sample's line, `name{labels} `, is the same at each scrape, so it is made once and kept by the
label values; a scrape then costs a look-up and a number a sample. Of a small family the whole text is kept as well:
on most machines most numbers have not moved since the last scrape. `prometheus_client` builds and escapes every line
anew, and renames counters that lack `_total`.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics 1.0 text format.
"""

import zlib
from collections.abc import Collection
from enum import StrEnum

from exporters.collector import BOUNDS, Family, Labels, Metric, Sample

GZIP_LEVEL = 1
"""A fifth of the time of level 9 for a quarter more bytes."""


SPARE = 256
"""Metrics that are gone and still kept, beside as many as there are: files of metrics may change them at will."""


SWEEP = 100
"""Scrapes after which a metric that none of them had is forgotten."""


class Format(StrEnum):
    """The content type that goes with each format."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


SMALL = 100
"""Samples of a family whose text is kept as well: of many, one has always moved."""


class _Block:
    """What is kept for one metric in one format: its head and the prefix of each line, and the last samples of a small
    family with their text.
    """

    __slots__ = ("_style", "head", "metric", "prefixes", "samples", "seen", "text")

    def __init__(self, metric: Metric, style: Format) -> None:
        self.metric = metric
        self.head = _text_head(metric) if style is Format.TEXT else _openmetrics_head(metric)
        self.prefixes: dict[Labels, str] = {}
        self.samples: list[Sample] = []
        self.text = ""
        self.seen = 0
        self._style = style

    def render(self, samples: list[Sample]) -> str:
        """Head and lines."""
        prefixes = self.prefixes
        out = [self.head]
        for labels, value in samples:
            # x - x is 0 for every finite x: one test for NaN and both infinities
            number = value if value - value == 0 else _special(value)
            out.append(f"{prefixes.get(labels) or self.prefix(labels)}{number}\n")
        if len(prefixes) > 2 * len(samples) + 16:
            self.forget(samples)
        text = "".join(out)
        if len(samples) < SMALL:
            self.samples, self.text = samples.copy(), text  # whoever made the list may change it before the next scrape
        return text

    def prefix(self, labels: Labels) -> str:
        """Make and keep the prefix of one line."""
        metric = self.metric
        name, names, values = metric.name, metric.labels, labels
        if metric.kind in BOUNDS:
            name, names, values = _part(metric, labels, self._style)
        pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(names, values, strict=True))
        made = f"{name}{{{pairs}}} " if pairs else f"{name} "
        self.prefixes[labels] = made
        return made

    def forget(self, samples: list[Sample]) -> None:
        """Drop the prefixes of series that are gone: worth it once they outnumber those that live."""
        living = {labels for labels, _ in samples}
        self.prefixes = {labels: text for labels, text in self.prefixes.items() if labels in living}


class Renderer:
    """Holds the kept prefixes; one thread at a time."""

    def __init__(self) -> None:
        self._blocks: dict[Format, dict[Metric, _Block]] = {style: {} for style in Format}
        self._most = 0
        self._scrapes = 0

    def render(self, families: Collection[Family], style: Format) -> bytes:
        """The exposition of `families`. A family without samples leaves no trace."""
        out: list[str] = []
        blocks = self._kept(len(families), style)
        for metric, samples in families:
            if not samples:
                continue
            block = blocks.get(metric)
            if block is None:
                block = blocks[metric] = _Block(metric, style)
            block.seen = self._scrapes
            out.append(block.text if samples == block.samples else block.render(samples))
        if style is Format.OPENMETRICS:
            out.append("# EOF\n")
        return "".join(out).encode()

    def _kept(self, families: int, style: Format) -> dict[Metric, _Block]:
        """What is kept in one format: metrics of the last scrapes, and in no case many times what a scrape has."""
        self._scrapes += 1
        self._most = max(self._most, families)
        blocks = self._blocks[style]
        if len(blocks) > 2 * self._most + SPARE:
            blocks.clear()
        elif self._scrapes % SWEEP == 0:
            gone = [metric for metric, block in blocks.items() if block.seen <= self._scrapes - SWEEP]
            for metric in gone:
                del blocks[metric]
        return blocks


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


def gzipped(body: bytes) -> bytes:
    """The body as one gzip member."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()
