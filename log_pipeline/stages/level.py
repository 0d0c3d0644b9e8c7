"""How bad a line is: trace, debug, info, warn, error, fatal, or not known.

Taken from the event's own `log.level`, else from the first characters of the message in the forms that log
libraries write: JSON and logfmt keys, a word in capitals or brackets, klog's first letter, a stack trace's first
line. A level is never guessed from words of prose.
"""

import re

from log_pipeline.model.event import Event

_NAMES = {
    **dict.fromkeys(("trace", "finest", "10"), "trace"),
    **dict.fromkeys(("debug", "dbg", "fine", "finer", "verbose", "20"), "debug"),
    **dict.fromkeys(("info", "information", "informational", "inf", "notice", "log", "30"), "info"),
    **dict.fromkeys(("warn", "warning", "wrn", "40"), "warn"),
    **dict.fromkeys(("error", "err", "severe", "50"), "error"),
    **dict.fromkeys(("fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "dpanic", "60"), "fatal"),
}
"""What libraries call the levels, in lower case; the numbers are pino's and bunyan's."""

_SEEN = 256
"""Characters of the message that are looked at."""

_KEYED = re.compile(r"""(?:level|lvl|severity)"?\s{0,2}[:=]\s{0,2}"?([A-Za-z]+|[1-6]0\b)""", re.IGNORECASE)
_KEYS = ("evel", "lvl", "everity", "EVEL", "EVERITY")
_WORD = re.compile(
    r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|FATAL|CRIT(?:ICAL)?|ALERT|EMERG|PANIC)(?![A-Za-z_=])"
    r"|\[(?:trace|debug|info|notice|warn(?:ing)?|err(?:or)?|fatal|crit(?:ical)?|alert|emerg|panic)\]"
)
_START = re.compile(
    r"(?P<klog>[IWEF])\d{4} \d\d:\d\d:\d\d"
    r"|(?P<name>[Tt]race|[Dd]ebug|[Ii]nfo|[Ww]arn(?:ing)?|[Ee]rror|[Ff]atal|panic):"
    r"|(?P<stack>Traceback \(most recent call last\)|Exception in thread)"
)
_KLOG = {"I": "info", "W": "warn", "E": "error", "F": "fatal"}


def detect_level(event: Event) -> None:
    """Fill in `event.level` in our words; the document gets it when it has none of its own."""
    if event.level:
        event.level = _NAMES.get(event.level.lower(), "")
        return
    event.level = level_of(event.message)
    if event.level:
        event.added["log.level"] = event.level


def level_of(message: str) -> str:
    """The level that a message states; empty when it states none."""
    head = message[:_SEEN]
    if any(key in head for key in _KEYS):
        match = _KEYED.search(head)
        if match and (named := _NAMES.get(match[1].lower())):
            return named
    if match := _START.match(head):
        return _of_start(match)
    if match := _WORD.search(head):
        before = head[match.start() - 1 : match.start()]
        if not (before.isalnum() or before == "_"):
            return _NAMES[match[0].strip("[]").lower()]
    return ""


def _of_start(match: re.Match[str]) -> str:
    if match["klog"]:
        return _KLOG[match["klog"]]
    return "error" if match["stack"] else _NAMES[match["name"].lower()]
