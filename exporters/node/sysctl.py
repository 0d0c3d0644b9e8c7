"""Kernel parameters that an operator asks for, from /proc/sys, sysctl(8).

A parameter with one number is `node_sysctl_<name>`. One with several numbers has a label `index`, or with
`name:first,second` a metric for each number. Parameters that are texts are labels of `node_sysctl_info`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporters.collector import Family, Malformed, Metric, NoData, Sample, gauge, required, untyped, whole
from exporters.host import Host
from exporters.options import option

Published = tuple[Metric, Sample]

INFO = gauge("node_sysctl_info", "A kernel parameter that is a text.", "name", "value", "index")

_NAME = re.compile(r"[^\s:./]+([./][^\s:./]+)*")
_KEY = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_FOREIGN = re.compile(r"_*[^0-9A-Za-z_]+_*")
_SWAPPED = str.maketrans("./", "/.")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A kernel parameter, and what its numbers are called if they have names."""

    name: str
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Parameter":
        """`kernel.threads-max` or `fs.file-nr:allocated,unused,maximum`. Raises ValueError."""
        name, colon, keys = text.partition(":")
        parameter = cls(name, tuple(keys.split(",")) if colon else ())
        if not _NAME.fullmatch(name) or not all(map(_KEY.fullmatch, parameter.keys)):
            raise ValueError(f"expected NAME or NAME:FIRST,SECOND,… such as kernel.threads-max, got {text!r}")
        return parameter

    @property
    def path(self) -> str:
        """Its file below /proc. As for sysctl(8), `net.ipv4.conf.eth0/100.mtu` is that of the device eth0.100."""
        dotted = "/" not in self.name.partition(".")[0]
        return f"sys/{self.name.translate(_SWAPPED) if dotted else self.name}"

    @property
    def metrics(self) -> list[str]:
        """The names of its metrics."""
        stem = f"node_sysctl_{_FOREIGN.sub('_', self.name)}"
        return [f"{stem}_{key}" for key in self.keys] or [stem]


@dataclass(frozen=True, slots=True)
class Options:
    """Which parameters are published."""

    include: tuple[str, ...] = option((), "Parameters with numbers, NAME or NAME:FIRST,SECOND,…; repeatable.")
    include_info: tuple[str, ...] = option((), "Parameters that are texts; repeatable.")

    def __post_init__(self) -> None:
        names = [name for parameter in self.numbers for name in parameter.metrics]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two numbers would have the name {twice[0]}")
        _ = self.texts

    @property
    def numbers(self) -> list[Parameter]:
        """What `include` names, each once. Raises ValueError."""
        return [Parameter.of(text) for text in dict.fromkeys(self.include)]

    @property
    def texts(self) -> list[Parameter]:
        """What `include_info` names, each once. Raises ValueError."""
        texts = [Parameter.of(text) for text in dict.fromkeys(self.include_info)]
        if named := [parameter.name for parameter in texts if parameter.keys]:
            raise ValueError(f"the words of a text can't have names, those of {named[0]} have")
        return texts


class Sysctl:
    """Reads a file a parameter. One that can't be read costs the others nothing, though the collector fails."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        asked = options if options is not None else Options()
        self._wanted = [
            *((parameter, host.proc.keep(parameter.path), self._numbers) for parameter in asked.numbers),
            *((parameter, host.proc.keep(parameter.path), _words) for parameter in asked.texts),
        ]
        self._metrics: dict[tuple[str, bool], Metric] = {}

    def collect(self, now: float) -> Iterator[Family]:
        failures: list[NoData | Malformed] = []
        families: dict[Metric, list[Sample]] = {}
        for parameter, file, read in self._wanted:
            try:
                words = required(file.read_record()).split()
                for metric, sample in read(parameter, file.path, words):
                    families.setdefault(metric, []).append(sample)
            except (NoData, Malformed) as reason:
                failures.append(reason)
        for metric, samples in families.items():
            yield metric.family(samples)
        if failures:
            raise failures[0]

    def _numbers(self, parameter: Parameter, path: str, words: list[str]) -> list[Published]:
        count = len(parameter.keys) or len(words)
        try:
            values = [whole(word) for word in words]
        except ValueError as error:
            raise Malformed(path, 1, "whole numbers", " ".join(words)) from error
        if not values or len(values) != count:
            raise Malformed(path, 1, f"{count or 'some'} numbers", " ".join(words))
        if parameter.keys or count == 1:
            names = zip(parameter.metrics, values, strict=True)
            return [(self._metric(name, parameter), ((), value)) for name, value in names]
        metric = self._metric(parameter.metrics[0], parameter, "index")
        return [(metric, ((str(index),), value)) for index, value in enumerate(values)]

    def _metric(self, name: str, parameter: Parameter, *labels: str) -> Metric:
        key = name, bool(labels)
        if key not in self._metrics:
            self._metrics[key] = untyped(name, f"Kernel parameter {parameter.name}.", *labels)
        return self._metrics[key]


def _words(parameter: Parameter, path: str, words: list[str]) -> list[Published]:
    if not words:
        raise Malformed(path, 1, "a text, the file is empty")
    return [(INFO, ((parameter.name, word, str(index)), 1)) for index, word in enumerate(words)]
