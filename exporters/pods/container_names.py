"""Names of containers as cri-dockerd and CRI-O make them from what the kubelet asks for, taken apart again. Pure.

    k8s_<container>_<pod>_<namespace>_<uid>_<attempt>     the container is POD for the sandbox
    k8s_<pod>_<namespace>_<uid>_<attempt>                 a sandbox of CRI-O since 1.20

Names in Kubernetes have no `_`.
"""

from exporters.pods.identity import NOBODY, Identity

SANDBOX = "POD"
"""What a sandbox is called where it has a container's name."""


def parse_name(name: str) -> Identity:
    """What a container's name says; NOBODY for any other name."""
    prefix, *parts = name.split("_")
    if prefix == "k8s" and len(parts) == 4:
        parts.insert(0, SANDBOX)
    if prefix != "k8s" or len(parts) < 5 or not all(parts):
        return NOBODY
    container, pod, namespace = parts[:3]
    return Identity(namespace, pod, container, sandbox=container == SANDBOX)
