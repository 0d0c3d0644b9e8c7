"""A real Prometheus with kube-prometheus' container rules and every query of its container boards, over our exporter.

The exporter is scraped as the manifests in deploy/kubernetes do it, on the nodes of two clusters, of cgroup v1 and of
v2. Each selector that names `container_*` or `machine_*` returns data of both, each recording rule records, each query
of a panel has an answer.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters.testing import FakeMachine
from tests.exporters.beside import paths_below, running
from tests.exporters.queries import CONTAINER_RULES, boards, chosen, metric_of, rule_groups, selectors
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until
from tests.stack.small_cluster import (
    CONTAINERS,
    NODE,
    PODS,
    VERSIONS,
    WEB,
    kube_state_metrics,
    let_time_pass,
    node_of_a_cluster,
)

BOARDS = boards("container_boards")
OURS = ("container_", "machine_")
RULES = Path(__file__).parents[2] / "deploy/prometheus/rules/containers.yml"
KUBELET = {"job": "kubelet", "metrics_path": "/metrics/cadvisor"}
"""Under what names kube-prometheus looks for the kubelet's cAdvisor."""

OF_THE_TARGET = {"namespace": "monitoring", "pod": "cgroup-exporter-7xk2p", "container": "cgroup-exporter"}
"""What the Prometheus operator adds to the series of a pod that it scrapes."""

CHOSEN = {
    "__rate_interval": "10s",
    "namespace": WEB.namespace,
    "workload": "web",
    "node": NODE,
    "type": "deployment",
    "pod": WEB.name,
}
"""What a person chooses in the boards, beside the cluster; longest names first."""

ELSEWHERE = (
    "container_cpu_cfs_throttled_seconds_total",
    "container_oom_events_total",
    "container_network_receive_errors_total",
    "container_network_transmit_errors_total",
    "machine_cpu_cores",
    "machine_memory_bytes",
)
"""What the boards "Kubernetes / Views" of dotdc/grafana-dashboards-kubernetes ask for beyond kube-prometheus'."""

each_version = pytest.mark.parametrize("version", VERSIONS)


@dataclass(frozen=True)
class Clusters:
    """A Prometheus that scrapes one node of each cluster."""

    prometheus: Prometheus

    def rows(self, expression: str) -> list[dict[str, Any]]:
        """What an expression finds."""
        return self.prometheus.query(expression)

    def has(self, selector: str, version: str) -> bool:
        """Whether a selector finds something in one of the clusters."""
        name, _, matchers = selector.removesuffix("}").partition("{")
        return bool(self.rows(f'{name}{{cluster="{version}",{matchers}}}'))

    def rules(self) -> list[dict[str, Any]]:
        """The rules with their state."""
        groups = self.prometheus.call("GET", "/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def clusters(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """A Prometheus with the rules that has scraped both nodes, and what is known of the clusters, a few times."""
    folder = tmp_path_factory.mktemp("clusters")
    theirs = folder / "kubernetes.yml"
    theirs.write_text(yaml.safe_dump({"groups": rule_groups(CONTAINER_RULES)}), encoding="utf-8")
    machines = [node_of_a_cluster(folder / version, version) for version in VERSIONS]
    states = folder / "states"
    states.mkdir()
    (states / "kube.prom").write_text(kube_state_metrics(), encoding="utf-8")
    with ExitStack() as stack:
        kube = stack.enter_context(running(serving(states)))
        ports = [stack.enter_context(running(exporting(machine))) for machine in machines]
        prometheus.start(yaml.safe_dump(scraping(ports, kube, [theirs, RULES])))

        def scraped() -> bool:
            for machine in machines:
                let_time_pass(machine)
            return len(prometheus.query('count_over_time(up{cluster!=""}[10s]) >= 4')) == 2 * len(VERSIONS)

        wait_until(scraped, "four scrapes of all", 60)
        yield Clusters(prometheus)
    prometheus.start(prometheus.default_config)


def exporting(machine: FakeMachine) -> list[str]:
    """The exporter of a node."""
    paths = [*paths_below(machine.folder), f"--path.cgroupfs={machine.folder}/cgroup"]
    return [sys.executable, "-m", "exporters", "--collect=cgroup", *paths]


def serving(folder: Path) -> list[str]:
    """An exporter of nothing but the metrics in files."""
    textfile = ["--collector.textfile", f"--collector.textfile.directory={folder}"]
    return [sys.executable, "-m", "exporters", "--collect=node", "--collector.disable-defaults", *textfile]


def scraping(ports: list[int], kube: int, rules: list[Path]) -> dict[str, Any]:
    """The configuration: for each cluster two targets, whose own labels win."""
    nodes = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": version, **KUBELET, **OF_THE_TARGET}}
        for version, port in zip(VERSIONS, ports, strict=True)
    ]
    states = [{"targets": [f"127.0.0.1:{kube}"], "labels": {"cluster": version}} for version in VERSIONS]
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": list(map(str, rules)),
        "scrape_configs": [
            {"job_name": "containers", "honor_labels": True, "static_configs": nodes},
            {"job_name": "kube-state-metrics", "honor_labels": True, "static_configs": states},
        ],
    }


def asked(version: str) -> list[str]:
    """Every selector of boards and rules that names one of our metrics, once."""
    expressions = [text for _, text in queries(version)]
    expressions += [rule["expr"] for group in rule_groups(CONTAINER_RULES) for rule in group["rules"]]
    return sorted({selector for expr in expressions for selector in selectors(expr, *OURS)})


def queries(version: str) -> list[tuple[str, str]]:
    """Every query of the boards as Grafana sends it, with where it stands."""
    variables = {**CHOSEN, "cluster": version}
    return [(f"{title}, {panel}", chosen(expr, variables)) for title, of in BOARDS.items() for panel, expr in of]


def who(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The pods and containers of samples."""
    return sorted((row["metric"]["pod"], row["metric"]["container"]) for row in rows)


def test_the_selectors_are_those_of_the_world() -> None:
    """Seventeen names: so many do these boards and rules ask for."""
    assert len({metric_of(selector) for selector in asked("v2")}) == 17


@each_version
def test_every_selector_returns_data(clusters: Clusters, version: str) -> None:
    """Under the very labels that are asked for."""
    assert [one for one in (*asked(version), *ELSEWHERE) if not clusters.has(one, version)] == []


@each_version
def test_every_query_of_the_boards_is_answered(clusters: Clusters, version: str) -> None:
    """With data, unless the panel compares."""
    empty = [
        f"{where}: {text}"
        for where, text in queries(version)
        if asks_for_containers(text) and not re.search(r" (!=|>|==|unless) ", text) and not clusters.rows(text)
    ]
    assert empty == []


def asks_for_containers(text: str) -> bool:
    """Whether a query needs our metrics, itself or through what rules record of them."""
    return bool(selectors(text, *OURS, "node_namespace_pod_container:", "namespace_workload_pod:"))


def test_every_rule_is_healthy(clusters: Clusters) -> None:
    """Theirs and ours: Prometheus evaluates each without an error."""
    wait_until(lambda: {rule["health"] for rule in clusters.rules()} == {"ok"}, "an evaluation of every rule", 60)


@each_version
def test_every_recording_rule_records(clusters: Clusters, version: str) -> None:
    """Each by itself: several of theirs record under one name, for other owners of pods."""
    recording = [rule for rule in clusters.rules() if rule["type"] == "recording"]
    names = {rule["name"] for rule in recording}
    assert len({name for name in names if not name.startswith(("container:", "workload:"))}) == 15

    def silent() -> list[str]:
        lacking = [name for name in sorted(names) if not clusters.has(name, version)]
        return lacking + [text for text in (rule["query"] for rule in recording) if not clusters.rows(text)]

    wait_until(lambda: silent() == [], f"series of all, at last without {silent()}", 60)


@each_version
def test_throttling_is_an_alert(clusters: Clusters, version: str) -> None:
    """CPUThrottlingHigh of theirs is pending for each container: half of the periods are more than a quarter."""
    alerts = clusters.rows(f'ALERTS{{alertname="CPUThrottlingHigh",cluster="{version}"}}')
    assert who(alerts) == CONTAINERS
    shares = clusters.rows(f'container:cpu_throttled:ratio_rate2m{{cluster="{version}"}}')
    assert {(*found, round(float(row["value"][1]), 2)) for row in shares for found in who([row])} == {
        (*one, 0.5) for one in CONTAINERS
    }


@each_version
def test_each_container_counts_once(clusters: Clusters, version: str) -> None:
    """No series of a sandbox, and one of a container: else the sums of the boards would be too large."""
    for name in ("node_namespace_pod_container:container_memory_working_set_bytes", "container:memory_rss_bytes:max"):
        assert who(clusters.rows(f'{name}{{cluster="{version}"}}')) == CONTAINERS
    of_images = f'container_memory_working_set_bytes{{cluster="{version}",image!=""}}'
    assert who(clusters.rows(of_images)) == CONTAINERS


@each_version
def test_the_network_of_a_pod_counts_once(clusters: Clusters, version: str) -> None:
    """Two containers, one network; none for pods on the host's."""
    rows = clusters.rows(
        f'count by (pod, interface) (container_network_receive_bytes_total{{cluster="{version}",pod!=""}})'
    )
    assert {row["value"][1] for row in rows} == {"1"}
    assert {row["metric"]["pod"] for row in rows} == {pod.name for pod in PODS if not pod.host_network}


@each_version
def test_the_workload_has_its_name(clusters: Clusters, version: str) -> None:
    """It stays the same when pods are renamed; joins with kube-state-metrics' `workload` go on."""
    rows = clusters.rows(f'count by (workload) (container_last_seen{{cluster="{version}",container!=""}})')
    found = {row["metric"]["workload"]: row["value"][1] for row in rows}
    assert (found["web"], found["db"], found["report"]) == ("4", "1", "1")


@each_version
def test_nothing_is_taken_for_a_part_of_the_exporters_own_pod(clusters: Clusters, version: str) -> None:
    """What has no pod keeps none: an empty label of ours wins over the target's too."""
    own = f'cluster="{version}",' + ",".join(f'{label}="{value}"' for label, value in OF_THE_TARGET.items())
    assert clusters.rows(f"{{id!='',{own}}}") == []
    assert clusters.has('container_memory_working_set_bytes{id="/",namespace="",pod="",container=""}', version)
    assert clusters.rows(f"up{{{own}}}")
