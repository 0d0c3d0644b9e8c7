"""The exporter's pages: metrics, health, and a page for people that shows every collector's state."""

import functools
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from exporters.messages import Request, Response
from exporters.render import Format, Renderer, gzipped, negotiate, wants_gzip
from exporters.scrape import BadSelection, Busy, Scraper, Selection
from fenghuo import __version__

SMALLEST_TO_PACK = 1 << 10
"""Bytes below which gzip costs more than it saves."""

MARGIN = 0.5
"""Seconds of a scraper's patience that are left for the way to it: at least these, or a tenth."""


class Site:
    """Answers requests. At most `most_scrapes` of them may ask for metrics at once, 0 is no limit; `known` are all
    collectors that there are, also those that are switched off.
    """

    def __init__(
        self, scraper: Scraper, telemetry_path: str, most_scrapes: int = 40, known: Sequence[str] = ()
    ) -> None:
        self._scraper = scraper
        self._renderer = Renderer()
        self._telemetry_path = telemetry_path
        self._most_scrapes = most_scrapes
        self._known = known
        self._places = threading.BoundedSemaphore(most_scrapes) if most_scrapes else None

    def handle(self, request: Request) -> Response:
        """Answer one request; called from one thread a connection."""
        if request.path == self._telemetry_path:
            return self._limited(request)
        if request.path == "/":
            return landing_page(self._telemetry_path, self._rows())
        if request.path in ("/-/healthy", "/-/ready"):
            return Response(f"exporter is {request.path.removeprefix('/-/')}.\n".encode())
        return Response(b"not found\n", status=404)

    def warm_up(self) -> None:
        """One scrape for nobody: files are opened, lines are made, and the log says what can't be read."""
        self._scraper.scrape(Selection(), lambda families: self._renderer.render(families, Format.TEXT))

    def _limited(self, request: Request) -> Response:
        if self._places is None:
            return self._metrics(request)
        if not self._places.acquire(blocking=False):
            text = f"Limit of concurrent requests reached ({self._most_scrapes}), try again later.\n"
            return Response(text.encode(), status=503)
        try:
            return self._metrics(request)
        finally:
            self._places.release()

    def _metrics(self, request: Request) -> Response:
        style = negotiate(request.headers.get("accept", ""))
        try:
            selection = self._scraper.select(request.query.get("collect[]", ()), request.query.get("exclude[]", ()))
            pieces = self._scraper.scrape(
                selection, lambda families: self._renderer.render(families, style), deadline(request.headers)
            )
        except BadSelection as reason:
            return Response(f"{reason}\n".encode(), status=400)
        except Busy as reason:
            return Response(f"{reason}\n".encode(), status=503)
        is_small = sum(map(len, pieces)) < SMALLEST_TO_PACK
        if is_small or not wants_gzip(request.headers.get("accept-encoding", "")):
            return Response(b"".join(pieces), style.value)
        return Response(gzipped(pieces), style.value, headers={"Content-Encoding": "gzip"})

    def _rows(self) -> "list[Row]":
        states, seconds = dict(self._scraper.states), dict(self._scraper.seconds)
        active = [name for group in self._scraper.groups for name in group.collectors]
        rows = []
        for name in dict.fromkeys((*active, *self._known)):
            state = states.get(name, "well" if name in seconds else "not asked yet")
            rows.append(Row(name, name in active, state if name in active else "", seconds.get(name)))
        return rows


class Row(NamedTuple):
    """One collector on the page: its state in words, and the seconds that it took last."""

    name: str
    active: bool
    state: str
    seconds: float | None


def deadline(headers: Mapping[str, str]) -> float | None:
    """Seconds in which a scraper wants its answer, less the way to it; None where it does not say so in a number.

    Prometheus sends its `scrape_timeout` with each scrape.
    """
    try:
        patience = float(headers.get("x-prometheus-scrape-timeout-seconds", ""))
    except ValueError:
        return None
    if not 0 < patience < float("inf"):
        return None
    return max(patience - max(MARGIN, patience / 10), patience / 2)


STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #ddd; padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top }
td:last-child, th:last-child { text-align: right; white-space: nowrap }
.off { color: #888 }
"""


@functools.cache
def _policy() -> str:
    """Nothing may be loaded or run but the style above, known by its hash."""
    import base64  # where nobody looks at the page, neither is loaded
    import hashlib

    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def landing_page(telemetry_path: str, rows: Sequence[Row]) -> Response:
    """A page for people who open the address in a browser."""
    path = quote(telemetry_path)
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>fenghuo exporter</title><style>{STYLE}</style></head>
<body><h1>fenghuo exporter</h1>
<p>Metrics of this machine and its containers, in the names of node_exporter and cAdvisor. Version {__version__}.</p>
<ul><li><a href="{path}">Metrics</a></li>
<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li></ul>
<h2>Collectors</h2>
<table><thead><tr><th>name</th><th></th><th>state</th><th>last took</th></tr></thead><tbody>
{"".join(_table_row(path, row) for row in rows)}</tbody></table></body></html>
"""
    content = text.encode(errors="backslashreplace")  # a path in a reason may hold bytes that are no UTF-8
    return Response(content, "text/html; charset=utf-8", headers={"Content-Security-Policy": _policy()})


def _table_row(path: str, row: Row) -> str:
    from html import escape  # brings every entity of HTML with it, and is needed for this page alone

    name = escape(row.name)
    if not row.active:
        return f'<tr class="off"><td>{name}</td><td>off</td><td></td><td></td></tr>\n'
    took = "" if row.seconds is None else f"{row.seconds * 1000:.2f} ms"
    link = f'<a href="{path}?collect[]={quote(row.name)}">{name}</a>'
    return f"<tr><td>{link}</td><td>on</td><td>{escape(row.state)}</td><td>{took}</td></tr>\n"
