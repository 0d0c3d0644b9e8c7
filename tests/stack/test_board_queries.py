"""Every query of every board is one that a real Prometheus answers, over this machine and three containers."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml

from dashboards.catalog import GRAFANA
from dashboards.grafana.render import to_json
from dashboards.queries import containers
from exporters.testing import FakeMachine
from tests.exporters.machines import v2_cgroup
from tests.stack.servers.over_http import HttpServer
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until

CHOSEN = {"instance": ".*", "namespace": ".*", "pod": ".*", "__rate_interval": "10s", "__range": "10s"}
"""What Grafana puts for the variables when all is chosen."""

PANELS = [
    (name, panel["title"], target["expr"])
    for name, build in GRAFANA.items()
    for panel in to_json(build())["panels"]
    for target in panel.get("targets", [])
]

ALWAYS = {
    *("Hosts down", "Uptime", "CPU busy", "Memory used", "CPU by mode", "Load per CPU", "Memory by use", "Swap used"),
    *("Containers running", "Container CPU", "Container memory", "Container memory of its limit"),
    *("Container CPU throttled", "Out-of-memory kills"),
}
"""Panels that have something to show on every Linux machine on which containers run."""

POD = "kubepods/pod0f1e2d3c-0000-4000-8000-000000000001"
CONTAINERS = {
    f"{POD}/{'a' * 64}": "shop/web-0/app",
    f"docker/{'b' * 64}": "db",
    f"docker/{'c' * 64}": "c" * 12,
}
"""The cgroups of three containers, and how the board names them: of a pod, of Docker, and one that nobody names."""


def machine_with_containers(folder: Path) -> FakeMachine:
    """Three containers: cgroups of v2, a pod's log folders, Docker's file."""
    machine = FakeMachine(folder)
    for path in ("", POD, *CONTAINERS):
        v2_cgroup(machine, path)
    machine.write(f"root/var/log/containers/web-0_shop_app-{'a' * 64}.log", "")
    machine.write("root/var/log/pods/shop_web-0_0f1e2d3c-0000-4000-8000-000000000001/app/0.log", "")
    docker = {"Name": "/db", "Config": {"Image": "postgres:18.3"}}
    machine.write(f"root/var/lib/docker/containers/{'b' * 64}/config.v2.json", json.dumps(docker))
    return machine


class Exporter(HttpServer):
    """`python -m exporters` with one of its groups."""

    name = "exporter"
    ready_path = "/-/ready"

    def __init__(self, folder: Path, *flags: str) -> None:
        super().__init__(folder)
        self.flags = flags

    def prepare(self) -> None:
        """Flags are all it has."""

    def command(self) -> Sequence[str | Path]:
        return [sys.executable, "-m", "exporters", f"--web.listen-address={self.address}", *self.flags]


@pytest.fixture(scope="module")
def scraped(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped this machine's host and three containers at least three times."""
    folder = tmp_path_factory.mktemp("exporters")
    roots = machine_with_containers(folder / "machine").roots
    paths = (f"--path.procfs={roots.procfs}", f"--path.rootfs={roots.rootfs}", f"--path.cgroupfs={roots.cgroupfs}")
    node = Exporter(folder / "node", "--collect=node")
    cgroup = Exporter(folder / "cgroup", "--collect=cgroup", *paths)
    with node, cgroup:
        jobs = [
            {"job_name": "node", "static_configs": [{"targets": [node.address]}]},
            {"job_name": "cgroup", "honor_labels": True, "static_configs": [{"targets": [cgroup.address]}]},
        ]
        prometheus.start(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
        wait_until(lambda: len(prometheus.query("count_over_time(up[10s]) >= 3")) == len(jobs), "three scrapes of both")
        yield prometheus


def chosen(expr: str) -> str:
    """The query as Grafana sends it."""
    return re.sub(r"\$(\w+)", lambda match: CHOSEN.get(match[1], match[0]), expr)


@pytest.mark.parametrize(("board", "title", "expr"), PANELS)
def test_prometheus_answers_every_query_of_a_panel(scraped: Prometheus, board: str, title: str, expr: str) -> None:
    """No error, whatever this machine has; and something to show where every machine has it."""
    found = scraped.query(chosen(expr))

    assert found or title not in ALWAYS


def test_a_container_has_the_name_that_its_runtime_gives_it(scraped: Prometheus) -> None:
    """Namespace, pod and container in Kubernetes, Docker's own name without; no stray slashes."""
    found = scraped.query(chosen(containers.MEMORY))

    assert {sample["metric"].get("title", "") for sample in found} == set(CONTAINERS.values())


@pytest.mark.parametrize("name", GRAFANA)
def test_the_choices_of_a_board_can_be_asked_for(scraped: Prometheus, name: str) -> None:
    """Grafana fills a variable by /api/v1/label/NAME/values; this host is among the hosts."""
    for variable in to_json(GRAFANA[name]())["templating"]["list"]:
        if variable["type"] != "query":
            continue
        match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert match
        asked = urlencode({"match[]": chosen(match[1])})
        values = scraped.call("GET", f"/api/v1/label/{match[2]}/values?{asked}")["data"]
        if variable["name"] == "instance":
            port = re.compile(variable["regex"].strip("/"))
            assert {host[1] for value in values if (host := port.search(value))} == {"127.0.0.1"}
