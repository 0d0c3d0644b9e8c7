"""The manifests for container metrics fit one another, the program that they start, and kube-prometheus' rules."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporters import cli
from exporters.app import build_scraper
from exporters.host import Host
from exporters.messages import Request
from exporters.pages import Site
from exporters.testing import FakeMachine, RecordingLog
from fenghuo import __version__
from tests.deploy.compose import ROOT
from tests.deploy.test_kubernetes import FOLDER, manifests
from tests.exporters.cgroups import trees

NAMES = ("cgroup-exporter", "cgroup-and-node-exporter")
MONITORS = {
    document["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]: document
    for document in yaml.safe_load_all((FOLDER / "cgroup-pod-monitor.yaml").read_text(encoding="utf-8"))
}
AS_CADVISOR = {"job": "kubelet", "metrics_path": "/metrics/cadvisor"}

each = pytest.mark.parametrize("name", NAMES)


def set_of(name: str) -> dict[str, Any]:
    """The spec of a file's DaemonSet."""
    found: dict[str, Any] = manifests(f"{name}.yaml")["DaemonSet"]["spec"]
    return found


def pod_of(name: str) -> dict[str, Any]:
    """The spec of its pods."""
    found: dict[str, Any] = set_of(name)["template"]["spec"]
    return found


def container_of(name: str) -> dict[str, Any]:
    """Their only container."""
    (container,) = pod_of(name)["containers"]
    return dict(container)


def site_of(arguments: list[str], folder: Path) -> Site:
    """Our program with these arguments on a node of a cluster."""
    settings = cli.settings_of(cli.command.make_context("exporter", arguments).params)
    machine = FakeMachine(folder)
    trees.containerd(machine)
    return Site(build_scraper(settings, Host(machine.roots, machine.calls), RecordingLog()), settings.telemetry_path)


def labels_of(endpoint: dict[str, Any]) -> dict[str, str]:
    """What an endpoint's relabelings write into labels."""
    return {
        rule["targetLabel"]: rule.get("replacement", *rule.get("sourceLabels", [])) for rule in endpoint["relabelings"]
    }


@each
def test_labels_and_selectors_are_the_same_everywhere(name: str) -> None:
    """And the version is that of what is in the image."""
    selected = {"app.kubernetes.io/component": "exporter", "app.kubernetes.io/name": name}
    labels = {**selected, "app.kubernetes.io/version": __version__}
    for kind, document in manifests(f"{name}.yaml").items():
        if kind != "Namespace":
            assert (document["metadata"]["name"], document["metadata"]["labels"]) == (name, labels)
            assert document["metadata"]["namespace"] == "monitoring"
    assert (set_of(name)["selector"]["matchLabels"], set_of(name)["template"]["metadata"]["labels"]) == (
        selected,
        labels,
    )
    assert MONITORS[name]["spec"]["selector"]["matchLabels"] == selected
    assert MONITORS[name]["metadata"]["labels"] == labels
    assert (pod_of(name)["serviceAccountName"], container_of(name)["image"]) == (name, f"fenghuo:{__version__}")


@each
def test_our_program_takes_the_arguments_and_has_the_pages(name: str, tmp_path: Path) -> None:
    """What kubelet and Prometheus ask for is answered with 200, by what was asked."""
    program, *arguments = container_of(name)["args"]
    site = site_of(arguments, tmp_path)
    assert program == "exporter"
    for probe in ("readinessProbe", "livenessProbe"):
        page = container_of(name)[probe]["httpGet"]
        assert (page["port"], site.handle(Request("GET", page["path"], {}, {})).status) == ("metrics", 200)
    for endpoint in MONITORS[name]["spec"]["podMetricsEndpoints"]:
        answer = site.handle(Request("GET", "/metrics", endpoint.get("params", {}), {}))
        told = answer.body.decode()
        is_cadvisor = labels_of(endpoint)["job"] == "kubelet"
        assert answer.status == 200
        assert ("\ncontainer_memory_rss{" in told, "\nnode_uname_info{" in told) == (is_cadvisor, not is_cadvisor)


@each
def test_prometheus_reads_them_as_kube_prometheus_wants_them(name: str) -> None:
    """Containers as the kubelet's cAdvisor, whose own labels win; nodes as the node exporter."""
    (port,) = container_of(name)["ports"]
    endpoints = MONITORS[name]["spec"]["podMetricsEndpoints"]
    assert {endpoint["port"] for endpoint in endpoints} == {port["name"]} == {"metrics"}
    found = {labels_of(endpoint)["job"]: endpoint for endpoint in endpoints}
    assert labels_of(found["kubelet"]).items() > AS_CADVISOR.items()
    assert found["kubelet"]["honorLabels"] is True
    assert set(found) - {"kubelet"} == ({"node-exporter"} if "node-exporter" in name else set())
    for endpoint in endpoints:
        assert labels_of(endpoint)["instance"] == "__meta_kubernetes_pod_node_name"


@each
def test_it_is_root_without_a_capability_and_writes_nowhere(name: str) -> None:
    """What root's own files take, see tests/stack/test_container_rights.py, and no more."""
    pod, security = pod_of(name), container_of(name)["securityContext"]
    assert (pod["hostPID"], pod["securityContext"]["runAsUser"]) == (True, 0)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all(mount["readOnly"] for mount in container_of(name)["volumeMounts"])
    assert pod["automountServiceAccountToken"] is False


def test_for_containers_alone_it_is_in_its_own_network_and_sees_few_folders() -> None:
    """Where names are; nothing of the users' files, nothing of the kubelet's."""
    pod, container = pod_of("cgroup-exporter"), container_of("cgroup-exporter")
    assert "hostNetwork" not in pod
    assert {volume["hostPath"]["path"] for volume in pod["volumes"]} == {"/proc", "/sys", "/run", "/var/log"}
    (port,) = container["ports"]
    assert f"--web.listen-address=:{port['containerPort']}" in container["args"]
    assert "hostPort" not in port


def test_with_node_metrics_it_is_in_the_hosts_network_on_the_nodes_address() -> None:
    """The port is one and the same."""
    container = container_of("cgroup-and-node-exporter")
    (port,) = container["ports"]
    assert pod_of("cgroup-and-node-exporter")["hostNetwork"] is True
    assert {port["containerPort"], port["hostPort"]} == {9100}
    assert "--web.listen-address=[$(HOST_IP)]:9100" in container["args"]


@each
def test_the_node_is_mounted_where_the_arguments_look_for_it(name: str) -> None:
    """Each volume is used, under the path that it has on the node."""
    volumes = {volume["name"]: volume["hostPath"]["path"] for volume in pod_of(name)["volumes"]}
    mounts = {mount["mountPath"]: volumes.pop(mount["name"]) for mount in container_of(name)["volumeMounts"]}
    assert volumes == {}
    for path, source in mounts.items():
        root = "/host/rootfs" if path.startswith("/host/rootfs") else "/host"
        assert path.removeprefix(root).rstrip("/") == source.rstrip("/")
    for argument in container_of(name)["args"]:
        if argument.startswith("--path."):
            path = argument.partition("=")[2]
            assert any(path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/") for one in mounts)


def test_what_stands_there_to_be_taken_in_is_taken_by_our_program(tmp_path: Path) -> None:
    """The arguments behind a #, with the variable as Kubernetes fills it in."""
    text = (FOLDER / "cgroup-exporter.yaml").read_text(encoding="utf-8")
    more = re.findall(r"# - (--cgroup\.\S+)", text)
    assert [one.partition("=")[0] for one in more] == [
        "--cgroup.kubelet",
        "--cgroup.pod-label",
        "--cgroup.kubelet-insecure",
    ]
    arguments = [*container_of("cgroup-exporter")["args"][1:], *more]
    site_of([one.replace("$(HOST_IP)", "127.0.0.1") for one in arguments], tmp_path)
    uncommented = re.sub(
        r"^( *)# (?=- name: docker|  mountPath|  readOnly|  hostPath|    path)", r"\1", text, flags=re.MULTILINE
    )
    (found,) = (one for one in yaml.safe_load_all(uncommented) if one["kind"] == "DaemonSet")
    volumes = found["spec"]["template"]["spec"]["volumes"]
    assert volumes[-1] == {"name": "docker", "hostPath": {"path": "/var/lib/docker/containers"}}


def test_access_to_the_kubelet_is_the_service_accounts_and_to_read_pods_only() -> None:
    """Bound to the account that the pods run under."""
    role, binding = manifests("cgroup-kubelet-access.yaml").values()
    assert role["rules"] == [{"apiGroups": [""], "resources": ["nodes/pods"], "verbs": ["get"]}]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == ("ClusterRole", role["metadata"]["name"])
    (subject,) = binding["subjects"]
    account = manifests("cgroup-exporter.yaml")["ServiceAccount"]["metadata"]
    assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])


def test_prometheus_of_the_compose_file_lets_our_labels_win() -> None:
    """The same without an operator."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = (job for job in config["scrape_configs"] if job["job_name"] == "cgroup")
    assert job["honor_labels"] is True
