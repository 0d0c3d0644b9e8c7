"""The only place that builds the exporter and wires its parts."""

import contextlib
import os
import resource
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from exporters import catalog
from exporters.cgroups.machine import Machine, VersionInfo
from exporters.cgroups.tree.choice import Choice
from exporters.cgroups.tree.detect import detect
from exporters.cgroups.tree.inventory import Inventory
from exporters.cgroups.tree.sieve import Sieve
from exporters.collector import Collector, NoData, gauge
from exporters.host import Host, Roots
from exporters.listen import inherited, is_beyond_loopback, listen, shown
from exporters.log import Log
from exporters.options import NONE
from exporters.own import BuildInfo, Process
from exporters.pages import Site
from exporters.scrape import Group, Scraper
from exporters.serve import Limits, Server
from fenghuo.clock import SystemClock
from fenghuo.errors import StartError

if TYPE_CHECKING:
    from exporters.web.protection import Protection

SCRAPE_ERROR = gauge("container_scrape_error", "1 if there was an error while getting container metrics, 0 otherwise")

KNOWN = (*catalog.NODE, *catalog.CGROUP)
MOST_CONNECTIONS = 128


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; `collectors` switches single ones on or off against their default, `options` has
    the options of those that were tuned.
    """

    groups: tuple[str, ...] = catalog.GROUPS
    listen_addresses: Sequence[str] = ("127.0.0.1:9100",)
    systemd_socket: bool = False
    web_config: str = ""
    telemetry_path: str = "/metrics"
    most_scrapes: int = 40
    own_metrics: bool = True
    roots: Roots = field(default_factory=Roots)
    collectors: Mapping[str, bool] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    choice: Choice = field(default_factory=Choice)


def node_group(host: Host, switches: Mapping[str, bool], options: Mapping[str, object] = NONE) -> Group:
    """The machine's collectors; `options` has the options of those that were tuned. Raises ConfigError."""
    chosen: dict[str, Collector] = {}
    denied: dict[str, dict[str, str]] = {}
    for name, entry in catalog.NODE.items():
        if switches.get(name, entry.default):
            view = host.view()
            chosen[name], denied[name] = entry.build(view, options.get(name)), view.denied
    return Group.of("node", chosen, denied=denied)


def cgroup_group(
    host: Host,
    switches: Mapping[str, bool],
    options: Mapping[str, object] = NONE,
    choice: Choice | None = None,
    log: Log | None = None,
) -> Group:
    """The collectors of cgroups, on one inventory; `options` has the options of those that were tuned."""
    choice = choice if choice is not None else Choice()
    shared = host.view()
    inventory = Inventory(shared, catalog.resolver(shared, choice), choice)
    chosen: dict[str, Collector] = {}
    denied: dict[str, dict[str, str]] = {}
    for name, entry in catalog.CGROUP.items():
        if switches.get(name, entry.default):
            view = host.view()
            chosen[name], denied[name] = entry.build(inventory, Machine(view), options.get(name)), view.denied
    group = Group.of("cgroup", chosen, SCRAPE_ERROR, denied)
    return replace(group, sieve=Sieve(choice, log if log is not None else Log()))


def build_scraper(settings: Settings, host: Host, log: Log) -> Scraper:
    """All collectors that the settings ask for."""
    groups: list[Group] = []
    if "node" in settings.groups:
        groups.append(node_group(host, settings.collectors, settings.options))
    if "cgroup" in settings.groups:
        groups.append(cgroup_group(host, settings.collectors, settings.options, settings.choice, log))
    clock = SystemClock()
    always: list[Collector] = [BuildInfo(node="node" in settings.groups)]
    if "cgroup" in settings.groups:
        always.append(VersionInfo(host))
    if settings.own_metrics:
        always.append(Process(clock.now()))
    return Scraper(groups, log, clock, always)


def allow_open_files() -> None:
    """Raise this process's limit of open files to what it may have: a kept file a reading and cgroup are many."""
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # in a sandbox that forbids it, it stays as it is
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))


def run(settings: Settings, log: Log) -> None:
    """Serve until SIGTERM or SIGINT. Raises StartError or ConfigError."""
    allow_open_files()
    protection = _protection(settings.web_config, log)
    host = Host(settings.roots)
    site = Site(build_scraper(settings, host, log), settings.telemetry_path, settings.most_scrapes, KNOWN)
    listeners = inherited(os.environ, os.getpid()) if settings.systemd_socket else listen(settings.listen_addresses)
    limits = Limits(connections=_connections(settings.most_scrapes))
    if protection is None:
        server = Server(listeners, site.handle, log, limits)
    else:
        server = Server(listeners, protection.guard(site.handle), log, limits, protection.secure)
    signal.set_wakeup_fd(server.alarm)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what a reload would read is read whenever it changes
    _announce(settings, listeners, protection, log)
    if "cgroup" in settings.groups:
        look_for_cgroups(host, log)
    threading.Thread(target=_warm_up, args=(site, log), name="warm-up", daemon=True).start()
    server.run()
    log.info("stopped")


def look_for_cgroups(host: Host, log: Log) -> None:
    """Say at the start when there are none: collectors without data are silent, as most machines lack something."""
    try:
        detect(host)
    except NoData as reason:
        log.warning("no cgroups to publish", reason=str(reason), remedy="--path.cgroupfs is where they are")


def _warm_up(site: Site, log: Log) -> None:
    try:
        site.warm_up()
    except Exception as error:  # noqa: BLE001 - what a scrape meets is told to the scraper, and here to the log
        log.error("the first scrape failed", reason=f"{type(error).__name__}: {error}")  # noqa: TRY400 - one line


def _protection(path: str, log: Log) -> "Protection | None":
    """TLS and authentication, where there is a file that says so."""
    if not path:
        return None
    try:
        from exporters.web.protection import Protection  # ssl and YAML are for those who ask for them
    except ModuleNotFoundError as error:
        raise StartError(f"--web.config.file needs the package {error.name!r}", "pip install 'fenghuo[web]'") from error
    return Protection(path, log)


def _connections(most_scrapes: int) -> int:
    """Each connection is a thread: more than scrapes at once, and never without end. It is a descriptor as well: an
    eighth of them at most, or strangers would take those that collectors read with.
    """
    wanted = max(MOST_CONNECTIONS, 2 * most_scrapes) if most_scrapes else 8 * MOST_CONNECTIONS
    return max(1, min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 8))


def _announce(
    settings: Settings, listeners: Sequence[socket.socket], protection: "Protection | None", log: Log
) -> None:
    config = None if protection is None else protection.config
    scheme = "http" if config is None or config.tls is None else "https"
    authenticates = config is not None and config.authenticates
    for listener in listeners:
        url = f"{scheme}://{shown(listener)}{settings.telemetry_path}"
        log.info(
            "listening", url=url, authentication="on" if authenticates else "off", collect=",".join(settings.groups)
        )
    for listener in listeners:
        if is_beyond_loopback(listener) and not authenticates:
            log.warning("listening beyond loopback without authentication", address=shown(listener))
    if protection is not None:
        protection.say_notes()
