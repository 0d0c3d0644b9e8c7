"""The manifests for a cluster fit one another, the program that they start, and what kube-prometheus looks for."""

from pathlib import Path
from typing import Any

import yaml

from exporters import cli
from exporters.app import build_scraper
from exporters.host import Host
from exporters.messages import Request
from exporters.pages import Site
from exporters.testing import FakeMachine, RecordingLog
from fenghuo import __version__
from tests.deploy.compose import ROOT

FOLDER = ROOT / "deploy/kubernetes"
SELECTED = {
    "app.kubernetes.io/component": "exporter",
    "app.kubernetes.io/name": "node-exporter",
    "app.kubernetes.io/part-of": "kube-prometheus",
}
"""What manifests/nodeExporter-serviceMonitor.yaml of kube-prometheus selects."""


def manifests(name: str) -> dict[str, dict[str, Any]]:
    """The documents of a file by their kind."""
    documents = yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


MANIFESTS = manifests("node-exporter.yaml")
SET = MANIFESTS["DaemonSet"]["spec"]
POD = SET["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_everything_carries_the_labels_that_kube_prometheus_selects() -> None:
    """And the version of what is in the image."""
    labels = {**SELECTED, "app.kubernetes.io/version": __version__}
    monitor = manifests("service-monitor.yaml")["ServiceMonitor"]
    for document in (*MANIFESTS.values(), monitor):
        if document["kind"] != "Namespace":
            assert (document["metadata"]["labels"], document["metadata"]["namespace"]) == (labels, "monitoring")
    assert SET["selector"]["matchLabels"] == SELECTED
    assert SET["template"]["metadata"]["labels"] == labels
    assert MANIFESTS["Service"]["spec"]["selector"] == SELECTED
    assert monitor["spec"]["selector"]["matchLabels"] == SELECTED
    assert CONTAINER["image"] == f"fenghuo:{__version__}"


def test_the_port_is_one_and_the_same() -> None:
    """By name where names can stand; on the host's network the two numbers must be equal."""
    (port,) = CONTAINER["ports"]
    (served,) = MANIFESTS["Service"]["spec"]["ports"]
    (scraped,) = manifests("service-monitor.yaml")["ServiceMonitor"]["spec"]["endpoints"]
    assert {port["name"], served["name"], served["targetPort"], scraped["port"]} == {"metrics"}
    assert {port["containerPort"], port["hostPort"], served["port"]} == {9100}
    assert "--web.listen-address=[$(HOST_IP)]:9100" in CONTAINER["args"]
    (address,) = CONTAINER["env"]
    assert address == {"name": "HOST_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}


def test_our_program_takes_the_arguments_and_has_the_pages_of_the_probes(tmp_path: Path) -> None:
    """What kubelet asks for is answered with 200, and so is Prometheus."""
    name, *flags = CONTAINER["args"]
    settings = cli.settings_of(cli.command.make_context("exporter", flags).params)
    machine = FakeMachine(tmp_path)
    site = Site(build_scraper(settings, Host(machine.roots, machine.calls), RecordingLog()), settings.telemetry_path)
    pages = [CONTAINER[probe]["httpGet"] for probe in ("readinessProbe", "livenessProbe")]
    assert name == "exporter"
    assert {page["port"] for page in pages} == {"metrics"}
    for path in (*(page["path"] for page in pages), "/metrics"):
        assert site.handle(Request("GET", path, {}, {})).status == 200


def test_the_node_is_mounted_where_the_arguments_look_for_it() -> None:
    """Whole, and read-only; what is mounted on the node later appears inside as well."""
    volumes = {volume["name"]: volume["hostPath"]["path"] for volume in POD["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in CONTAINER["volumeMounts"]}
    roots = {argument.partition("=")[2] for argument in CONTAINER["args"] if argument.startswith("--path.")}
    assert {path: volumes[mount["name"]] for path, mount in mounts.items()} == {
        "/host/proc": "/proc",
        "/host/sys": "/sys",
        "/host/rootfs": "/",
    }
    assert all(mount["readOnly"] for mount in mounts.values())
    assert mounts["/host/rootfs"]["mountPropagation"] == "HostToContainer"
    assert all(any(root == path or root.startswith(f"{path}/") for path in mounts) for root in roots)


def test_the_namespace_admits_pods_that_see_the_host() -> None:
    """The network, the processes and folders of a node are more than Pod Security's `baseline` allows."""
    labels = MANIFESTS["Namespace"]["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "privileged"}


def test_it_runs_on_every_node_as_nobody() -> None:
    """No root, no token, nothing to write to, and no right but to ask for the clock's state."""
    assert (POD["hostNetwork"], POD["hostPID"], POD["tolerations"]) == (True, True, [{"operator": "Exists"}])
    assert (POD["securityContext"]["runAsNonRoot"], POD["securityContext"]["runAsUser"]) == (True, 65534)
    assert (POD["automountServiceAccountToken"], CONTAINER["securityContext"]["readOnlyRootFilesystem"]) == (
        False,
        True,
    )
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SYS_TIME"]}
