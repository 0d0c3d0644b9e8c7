"""What an operator chooses of cgroups: which of them, under which labels, which families, how many series at most.

Each field is a flag, see `exporters.options`. Nothing here reads.
"""

import re
from dataclasses import dataclass

from exporters.options import Pattern, option

BASE = ("container", "id", "image", "name", "namespace", "pod")
"""The labels that cAdvisor's series have in a kubelet."""

MORE = ("workload", "workload_kind", "qos", "runtime", "pod_uid", "slice", "unit")
"""Labels that it does not have."""

_URL = re.compile(r"https?://(?:\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]]+)(?::[0-9]{1,5})?/?")


@dataclass(frozen=True, slots=True)
class Choice:
    """Of which cgroups what is published. Patterns match anywhere in a text unless they are anchored."""

    include: Pattern | None = option(None, "Cgroups whose path matches; by default all.", "cgroup.include")
    exclude: Pattern | None = option(None, "Cgroups whose path does not match.", "cgroup.exclude")
    namespaces_include: Pattern | None = option(
        None, "Pods and containers of these namespaces only.", "cgroup.namespaces-include"
    )
    namespaces_exclude: Pattern | None = option(
        None, "No pods and containers of these namespaces.", "cgroup.namespaces-exclude"
    )
    slices: bool = option(
        False, "Name the slice and the unit of systemd's cgroups in labels `slice` and `unit`.", "slices"
    )
    sandboxes: bool = option(False, "Publish pause containers as well.", "cgroup.sandboxes")
    labels: tuple[str, ...] = option(
        (*BASE, "workload", "workload_kind"),
        f"A label of the series, repeatable, in place of those by default: {', '.join((*BASE, *MORE))}.",
        "cgroup.label",
    )
    pod_labels: tuple[str, ...] = option(
        (),
        "A label of pods that becomes a label container_label_… of their series, repeatable; * is any text. "
        "Needs --cgroup.kubelet.",
        "cgroup.pod-label",
    )
    families_include: Pattern | None = option(
        None, "Metrics whose name matches; by default all.", "cgroup.families-include"
    )
    families_exclude: Pattern | None = option(None, "Metrics whose name does not match.", "cgroup.families-exclude")
    series_limit: int = option(
        200_000,
        "Series of cgroups at most; the families with most are left out above it. 0 is no limit.",
        "cgroup.series-limit",
    )
    kubelet: str = option(
        "", "URL of the kubelet, such as https://127.0.0.1:10250, for labels and owners of pods.", "cgroup.kubelet"
    )
    kubelet_token_file: str = option(
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "A file with the token for the kubelet.",
        "cgroup.kubelet-token-file",
    )
    kubelet_ca_file: str = option(
        "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
        "A file with the certificates that the kubelet's is checked against.",
        "cgroup.kubelet-ca-file",
    )
    kubelet_insecure: bool = option(
        False, "Do not check the kubelet's certificate, which often is self-signed.", "cgroup.kubelet-insecure"
    )
    node_name: str = option(
        "",
        "The node's name in Kubernetes, with which names of static pods end; by default the host's.",
        "cgroup.node-name",
    )
    crio_socket: str = option(
        "var/run/crio/crio.sock", "CRI-O's socket below the root of the host; empty is none.", "cgroup.crio-socket"
    )

    def __post_init__(self) -> None:
        """Raises ValueError naming the flag and the value that is not as it should be."""
        for name in self.labels:
            if name not in (*BASE, *MORE):
                raise ValueError(f"--cgroup.label: expected one of {', '.join((*BASE, *MORE))}, got {name!r}")
        for name in self.pod_labels:
            if not re.fullmatch(r"[A-Za-z0-9_./*-]+", name):
                raise ValueError(f"--cgroup.pod-label: expected a name of a label, * for any text, got {name!r}")
        if self.series_limit < 0:
            raise ValueError(f"--cgroup.series-limit: expected a number, 0 for no limit, got {self.series_limit}")
        if self.kubelet and not _URL.fullmatch(self.kubelet):
            raise ValueError(f"--cgroup.kubelet: expected a URL such as https://127.0.0.1:10250, got {self.kubelet!r}")
        if self.pod_labels and not self.kubelet:
            raise ValueError("--cgroup.pod-label: expected --cgroup.kubelet too, which alone tells labels of pods")
