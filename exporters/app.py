"""The only place that builds the exporter and wires its parts."""

import resource
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporters import catalog
from exporters.cgroups.inventory import Inventory
from exporters.cgroups.machine import Machine
from exporters.collector import Collector, gauge
from exporters.host import Host, Roots
from exporters.log import Log
from exporters.options import NONE
from exporters.own import BuildInfo, Process
from exporters.pods.resolver import Resolver
from exporters.render import Renderer, gzipped, negotiate, wants_gzip
from exporters.scrape import BadSelection, Group, Scraper
from exporters.serve import Request, Response, Server
from fenghuo.addresses import is_loopback, parse_address
from fenghuo.clock import SystemClock

SCRAPE_ERROR = gauge("container_scrape_error", "1 if there was an error while getting container metrics, 0 otherwise")

SMALLEST_TO_PACK = 1 << 10
"""Bytes below which gzip costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; `collectors` switches single ones on or off against their default, `options` has
    the options of those that were tuned.
    """

    groups: tuple[str, ...] = catalog.GROUPS
    listen_address: str = "127.0.0.1:9100"
    telemetry_path: str = "/metrics"
    roots: Roots = field(default_factory=Roots)
    collectors: Mapping[str, bool] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)


def node_group(host: Host, switches: Mapping[str, bool], options: Mapping[str, object] = NONE) -> Group:
    """The machine's collectors; `options` has the options of those that were tuned. Raises ConfigError."""
    chosen: dict[str, Collector] = {}
    denied: dict[str, dict[str, str]] = {}
    for name, entry in catalog.NODE.items():
        if switches.get(name, entry.default):
            view = host.view()
            chosen[name], denied[name] = entry.build(view, options.get(name)), view.denied
    return Group.of("node", chosen, denied=denied)


def cgroup_group(host: Host, switches: Mapping[str, bool]) -> Group:
    """The collectors of cgroups, on one inventory."""
    view = host.view()
    machine = Machine(view)
    inventory = Inventory(view, Resolver([build(view) for build in catalog.SOURCES]))
    chosen = {
        name: entry.build(inventory, machine)
        for name, entry in catalog.CGROUP.items()
        if switches.get(name, entry.default)
    }
    return Group.of("cgroup", chosen, SCRAPE_ERROR)


def build_scraper(settings: Settings, host: Host, log: Log) -> Scraper:
    """All collectors that the settings ask for."""
    groups: list[Group] = []
    if "node" in settings.groups:
        groups.append(node_group(host, settings.collectors, settings.options))
    if "cgroup" in settings.groups:
        groups.append(cgroup_group(host, settings.collectors))
    clock = SystemClock()
    always: list[Collector] = [BuildInfo(node="node" in settings.groups), Process(clock.now())]
    return Scraper(groups, log, clock, always)


class Site:
    """The pages of the exporter."""

    def __init__(self, scraper: Scraper, telemetry_path: str) -> None:
        self._scraper = scraper
        self._renderer = Renderer()
        self._telemetry_path = telemetry_path

    def handle(self, request: Request) -> Response:
        """Answer one request; called from one thread a connection."""
        if request.path == self._telemetry_path:
            return self._metrics(request)
        if request.path == "/":
            return Response(landing_page(self._telemetry_path).encode(), "text/html; charset=utf-8")
        if request.path in ("/-/healthy", "/-/ready"):
            return Response(f"exporter is {request.path.removeprefix('/-/')}.\n".encode())
        return Response(b"not found\n", status=404)

    def _metrics(self, request: Request) -> Response:
        try:
            selection = self._scraper.select(request.query.get("collect[]", ()), request.query.get("exclude[]", ()))
        except BadSelection as reason:
            return Response(f"{reason}\n".encode(), status=400)
        style = negotiate(request.headers.get("accept", ""))
        body = self._scraper.scrape(selection, lambda families: self._renderer.render(families, style))
        if len(body) < SMALLEST_TO_PACK or not wants_gzip(request.headers.get("accept-encoding", "")):
            return Response(body, style.value)
        return Response(gzipped(body), style.value, headers={"Content-Encoding": "gzip"})


def landing_page(telemetry_path: str) -> str:
    """A page for people who open the address in a browser."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>fenghuo exporter</title>
<style>body {{ font: 16px/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }}</style>
</head><body><h1>fenghuo exporter</h1>
<p>Metrics of this machine and its containers, in the names of node_exporter and cAdvisor.</p>
<ul><li><a href="{telemetry_path}">Metrics</a></li>
<li><a href="/-/healthy">Health</a></li></ul></body></html>
"""


def allow_open_files() -> None:
    """Raise this process's limit of open files to what it may have: a kept file a reading and cgroup are many."""
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))


def run(settings: Settings, log: Log) -> None:
    """Serve until SIGTERM or SIGINT. Raises StartError."""
    allow_open_files()
    site = Site(build_scraper(settings, Host(settings.roots), log), settings.telemetry_path)
    server = Server(settings.listen_address, site.handle, log)
    host, port = server.start()
    if not is_loopback(parse_address(settings.listen_address)[0]):
        log.warning("listening beyond loopback without authentication", address=settings.listen_address)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    shown = f"[{host}]" if ":" in host else host
    log.info("listening", url=f"http://{shown}:{port}{settings.telemetry_path}", collect=",".join(settings.groups))
    server.run()
    log.info("stopped")
