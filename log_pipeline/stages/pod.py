"""Which pod wrote the line: from the event where the shipper knew it, else from the path of its log file.

Events without Kubernetes metadata are normal (the first lines of a pod, an API server that was away), and the
kubelet's paths name what is missing:

    /var/log/containers/<pod>_<namespace>_<container>-<64 hex digits>.log     (in any folder)
    /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restart count>.log
    /var/lib/docker/containers/<64 hex digits>/<the same>-json.log

A name that the event has is never changed.
"""

import re
from functools import lru_cache

from log_pipeline.model.event import Event, Pod

_CONTAINERS = re.compile(r"(?:^|/)([^/_]+)_([^/_]+)_([^/]+)-([0-9a-f]{64})\.log$")
_PODS = re.compile(r"/pods/([^/_]+)_([^/_]+)_([^/_]+)/([^/]+)/\d+\.log(?:\.[^/]*)?$")
_DOCKER = re.compile(r"/containers/([0-9a-f]{64})/\1-json\.log(?:\.\d+)?$")


def identify_pod(event: Event) -> None:
    """Fill in `event.pod`, and add to the document what it did not have."""
    known = event.pod
    if known is not None and known.name and known.namespace and known.container:
        return
    found = pod_of_path(event.path)
    if found is None:
        return
    if known is None:
        event.pod = found
        event.added.update(_whole(found))
        return
    event.pod = Pod(
        known.namespace or found.namespace,
        known.name or found.name,
        known.container or found.container,
        known.uid or found.uid,
        known.container_id or found.container_id,
    )
    event.added.update(_missing(known, found))


@lru_cache(maxsize=65_536)
def pod_of_path(path: str) -> Pod | None:
    """What a log file's path tells; None when it is not a container's log file."""
    if match := _CONTAINERS.search(path):
        name, namespace, container, container_id = match.groups()
        return Pod(namespace, name, container, container_id=container_id)
    if match := _PODS.search(path):
        namespace, name, uid, container = match.groups()
        return Pod(namespace, name, container, uid)
    if match := _DOCKER.search(path):
        return Pod(container_id=match[1])
    return None


def _whole(pod: Pod) -> dict[str, object]:
    """The fields of a document that has none of them, nested as the shipper would write them."""
    fields: dict[str, object] = {}
    if pod.name:
        about = {"name": pod.name, "uid": pod.uid} if pod.uid else {"name": pod.name}
        fields["kubernetes"] = {"namespace": pod.namespace, "pod": about, "container": {"name": pod.container}}
    if pod.container_id:
        fields["container.id"] = pod.container_id
    return fields


def _missing(known: Pod, found: Pod) -> dict[str, object]:
    """Only what the event lacks, by dotted path."""
    pairs = (
        ("kubernetes.namespace", known.namespace, found.namespace),
        ("kubernetes.pod.name", known.name, found.name),
        ("kubernetes.pod.uid", known.uid, found.uid),
        ("kubernetes.container.name", known.container, found.container),
        ("container.id", known.container_id, found.container_id),
    )
    return {path: new for path, old, new in pairs if new and not old}
