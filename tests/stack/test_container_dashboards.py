"""A real Prometheus with kube-prometheus' container rules and every query of its container boards, over our exporter.

The exporter is scraped as the manifests in deploy/kubernetes do it, on a node of a small cluster. Each selector that
names `container_*` or `machine_*` returns data, each recording rule records, each query of a panel has an answer.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.exporters.beside import paths_below, running
from tests.exporters.queries import CONTAINER_RULES, boards, chosen, metric_of, rule_groups, selectors
from tests.stack.servers.prometheus import Prometheus
from tests.stack.servers.waiting import wait_until
from tests.stack.small_cluster import NODE, PODS, WEB, kube_state_metrics, node_of_a_cluster

BOARDS = boards("container_boards")
OURS = ("container_", "machine_")
KUBELET = {"job": "kubelet", "metrics_path": "/metrics/cadvisor"}
"""Under what names kube-prometheus looks for the kubelet's cAdvisor."""

OF_THE_TARGET = {"namespace": "monitoring", "pod": "cgroup-exporter-7xk2p", "container": "cgroup-exporter"}
"""What the Prometheus operator adds to the series of a pod that it scrapes."""

CHOSEN = {
    "__rate_interval": "10s",
    "namespace": WEB.namespace,
    "workload": "web",
    "cluster": "",
    "node": NODE,
    "type": "deployment",
    "pod": WEB.name,
}
"""What a person chooses in the boards, longest names first."""

CONTAINERS = sorted((pod.name, container) for pod in PODS for container in pod.containers)

ELSEWHERE = (
    "container_cpu_cfs_throttled_seconds_total",
    "container_oom_events_total",
    "container_network_receive_errors_total",
    "container_network_transmit_errors_total",
    "machine_cpu_cores",
    "machine_memory_bytes",
)
"""What the boards "Kubernetes / Views" of dotdc/grafana-dashboards-kubernetes ask for beyond kube-prometheus'."""


@dataclass(frozen=True)
class Cluster:
    """A Prometheus that scrapes one node of a cluster."""

    prometheus: Prometheus

    def has(self, selector: str) -> bool:
        """Whether a selector finds something."""
        return bool(self.prometheus.query(selector))

    def rules(self) -> list[dict[str, Any]]:
        """The rules with their state."""
        groups = self.prometheus.call("GET", "/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def cluster(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Prometheus with the rules that has scraped the node, and what is known of the cluster, a few times."""
    folder = tmp_path_factory.mktemp("cluster")
    rules = folder / "containers.yml"
    rules.write_text(yaml.safe_dump({"groups": rule_groups(CONTAINER_RULES)}), encoding="utf-8")
    machine = node_of_a_cluster(folder / "node")
    machine.write("states/kube.prom", kube_state_metrics())
    command = [sys.executable, "-m", "exporters"]
    ours = [*command, "--collect=cgroup", *paths_below(machine.folder), f"--path.cgroupfs={machine.folder}/cgroup"]
    textfile = [
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={machine.folder}/states",
    ]
    with running(ours) as port, running([*command, "--collect=node", *textfile]) as kube:
        prometheus.start(yaml.safe_dump(scraping(port, kube, rules)))
        jobs = 'count_over_time(up{job=~"kubelet|kube-state-metrics"}[10s]) >= 4'
        wait_until(lambda: len(prometheus.query(jobs)) == 2, "four scrapes of both", 60)
        yield Cluster(prometheus)
    prometheus.start(prometheus.default_config)


def scraping(port: int, kube: int, rules: Path) -> dict[str, Any]:
    """The configuration: two targets, each of whose own labels win."""
    node = {"targets": [f"127.0.0.1:{port}"], "labels": {**KUBELET, **OF_THE_TARGET}}
    states = {"targets": [f"127.0.0.1:{kube}"]}
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [
            {"job_name": "containers", "honor_labels": True, "static_configs": [node]},
            {"job_name": "kube-state-metrics", "honor_labels": True, "static_configs": [states]},
        ],
    }


def asked() -> list[str]:
    """Every selector of boards and rules that names one of our metrics, once."""
    expressions = [chosen(expr, CHOSEN) for panels in BOARDS.values() for _, expr in panels]
    expressions += [rule["expr"] for group in rule_groups(CONTAINER_RULES) for rule in group["rules"]]
    return sorted({selector for expr in expressions for selector in selectors(expr, *OURS)})


def test_the_selectors_are_those_of_the_world() -> None:
    """Seventeen names: so many do these boards and rules ask for."""
    assert len({metric_of(selector) for selector in asked()}) == 17


@pytest.mark.parametrize("selector", [*asked(), *ELSEWHERE])
def test_every_selector_returns_data(cluster: Cluster, selector: str) -> None:
    """Under the very labels that are asked for."""
    assert cluster.has(selector)


def test_every_rule_is_healthy_and_every_recording_rule_records(cluster: Cluster) -> None:
    """Each by itself: several record under one name, for other owners of pods."""
    wait_until(lambda: all(rule["health"] == "ok" for rule in cluster.rules()), "an evaluation of every rule", 60)
    recording = [rule for rule in cluster.rules() if rule["type"] == "recording"]
    assert len({rule["name"] for rule in recording}) == 15
    assert [rule["query"] for rule in recording if not cluster.has(rule["query"])] == []
    assert [rule["name"] for rule in recording if not cluster.has(rule["name"])] == []


def test_throttling_is_an_alert(cluster: Cluster) -> None:
    """The expression of CPUThrottlingHigh without its threshold: one share for each container of the cluster."""
    (rule,) = (rule for rule in cluster.rules() if rule["name"] == "CPUThrottlingHigh")
    share, _, _ = str(rule["query"]).rpartition(">")
    rows = cluster.prometheus.query(share)
    assert sorted((row["metric"]["pod"], row["metric"]["container"]) for row in rows) == CONTAINERS


def test_every_query_of_the_boards_is_answered(cluster: Cluster) -> None:
    """With data, unless the panel compares; variables that need a label `cluster` among them."""
    empty = [
        f"{title}, {panel}: {text}"
        for title, panels in BOARDS.items()
        for panel, text in ((panel, chosen(expr, CHOSEN)) for panel, expr in panels)
        if asks_for_containers(text) and not cluster.has(text) and not re.search(r" (!=|>|==|unless) ", text)
    ]
    assert empty == []


def asks_for_containers(text: str) -> bool:
    """Whether a query needs our metrics, itself or through what rules record of them."""
    return bool(selectors(text, *OURS, "node_namespace_pod_container:", "namespace_workload_pod:"))


def test_each_container_counts_once(cluster: Cluster) -> None:
    """No series of a sandbox, and one of a container: else the sums of the boards would be too large."""
    rows = cluster.prometheus.query("node_namespace_pod_container:container_memory_working_set_bytes")
    assert sorted((row["metric"]["pod"], row["metric"]["container"]) for row in rows) == CONTAINERS
    (total,) = cluster.prometheus.query('sum(container_memory_working_set_bytes{image!=""})')
    assert total["value"][1] == str(200 * len(CONTAINERS))


def test_the_network_of_a_pod_counts_once(cluster: Cluster) -> None:
    """Two containers, one network: 5000 bytes."""
    rows = cluster.prometheus.query('sum by (pod) (container_network_receive_bytes_total{pod!=""})')
    assert {row["metric"]["pod"]: row["value"][1] for row in rows} == {pod.name: "5000" for pod in PODS}


def test_nothing_is_taken_for_a_part_of_the_exporters_own_pod(cluster: Cluster) -> None:
    """What has no pod keeps none: an empty label of ours wins over the target's too."""
    own = ",".join(f'{label}="{value}"' for label, value in OF_THE_TARGET.items())
    assert cluster.prometheus.query(f"{{id!='',{own}}}") == []
    assert cluster.has('container_memory_working_set_bytes{id="/",namespace="",pod="",container=""}')
    assert cluster.has(f"up{{{own}}}")
