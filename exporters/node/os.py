"""The operating system by name and version, and until when it is supported, from os-release(5).

/etc/os-release counts, and /usr/lib/os-release where that is absent. The file is parsed when it has changed.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from exporters.collector import Family, Malformed, NoData, gauge, required
from exporters.host import Host, Unreadable

LABELS = {
    label: label.upper()
    for label in (
        *("build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name"),
        *("variant", "variant_id", "version", "version_codename", "version_id"),
    )
}
"""Label → variable."""

INFO = gauge("node_os_info", "The operating system as /etc/os-release names it.", *LABELS)
VERSION = gauge("node_os_version", "Major and minor version of the operating system.", "id", "id_like", "name")
SUPPORT_END = gauge(
    "node_os_support_end_timestamp_seconds", "When support of the operating system ends, in Unix seconds."
)

PLACES = ("etc/os-release", "usr/lib/os-release")

_VARIABLE = re.compile(r"(?:export )?\s*([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)")
_PART = re.compile(
    r"""'(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | \\(?P<escaped>.) | (?P<plain>[^'"\\]+)""", re.VERBOSE
)
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class _Release(NamedTuple):
    """A file as it was parsed: which one, in which state, and what it says."""

    path: str
    state: tuple[int, ...]
    families: list[Family]


class OsRelease:
    """Asks for the file's state once a scrape, and reads it only when that has changed."""

    def __init__(self, host: Host) -> None:
        self._root = host.root
        self._release = _Release("", (), [])

    def collect(self, now: float) -> Iterator[Family]:
        why = ""
        for path in PLACES:
            status = self._root.status(path)
            if isinstance(status, Unreadable):
                why = why or str(status)
                continue
            state = (status.st_ino, status.st_mtime_ns, status.st_size)
            if (path, state) != self._release[:2]:
                text = required(self._root.read(path))
                self._release = _Release(path, state, list(_families(text, self._root.path(path))))
            yield from self._release.families
            return
        raise NoData(why)


def _families(text: str, path: str) -> Iterator[Family]:
    values = parse(text, path)
    labels = {label: values.get(name, "") for label, name in LABELS.items()}
    yield INFO.family([(tuple(labels.values()), 1)])
    matched = _NUMBER.match(labels["version_id"])
    version = float(matched.group()) if matched else 0.0
    if 0 < version < math.inf:
        yield VERSION.family([((labels["id"], labels["id_like"], labels["name"]), version)])
    if end := values.get("SUPPORT_END"):
        yield SUPPORT_END.single(_midnight(end, path))


def parse(text: str, path: str) -> Mapping[str, str]:
    """The variables of an os-release file, without quotes. Raises Malformed naming the line."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):  # what else Python takes for the end of a line may be quoted
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        matched = _VARIABLE.fullmatch(stripped)
        value = unquoted(matched.group(2)) if matched else None
        if matched is None or value is None:
            raise Malformed(path, number, "`NAME=value`, quotes in pairs", line)
        values[matched.group(1)] = value
    return values


def unquoted(text: str) -> str | None:
    """What a shell makes of an assignment's right side; None when a quote has no end."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        matched = _PART.match(text, at)
        if matched is None:
            return None
        kind, part = str(matched.lastgroup), matched.group(str(matched.lastgroup))
        if kind == "plain" and (comment := re.search(r"(?:^|\s)#", part)):
            return "".join([*parts, part[: comment.start()]]).rstrip()
        parts.append(re.sub(r'\\(["$\\`])', r"\1", part) if kind == "double" else part)
        at = matched.end()
    return "".join(parts)


def _midnight(date: str, path: str) -> float:
    try:
        if _DATE.fullmatch(date):
            return datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
    except ValueError:
        pass  # such as the 31st of February
    raise Malformed(path, 0, f"a date such as SUPPORT_END=2030-12-31, got {date:.40}")
