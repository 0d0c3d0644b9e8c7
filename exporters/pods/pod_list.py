"""The kubelet's list of pods, `/pods`, a v1 PodList: who each pod and container is. Pure.

A pod at a time is taken out of the text: the whole list as Python's values would take ten times its size.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from exporters.pods.identity import Identity
from exporters.pods.texts import Object, list_of, object_of, text_of, texts_of
from exporters.pods.workload import Owner, workload_of

_ITEMS = re.compile(r'"items"\s*:\s*(\[|null)')
_BETWEEN = re.compile(r"[\s,]*")
_HASHES = ("kubernetes.io/config.hash", "kubernetes.io/config.mirror")
"""Annotations of a static pod with what stands for its uid in the paths of cgroups; of another pod anybody's text."""
_HASH = re.compile(r"[0-9a-f]{32}")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


class PodList(NamedTuple):
    """Containers by their id, and pods by each of their uids."""

    containers: dict[str, Identity]
    pods: dict[str, Identity]


def parse_pods(content: bytes, keeps: Callable[[str], bool]) -> PodList | None:
    """All pods and containers, with those labels whose names `keeps` says; None when it is no list of pods."""
    found = PodList({}, {})
    claimed: dict[str, Identity] = {}
    try:
        # names, labels and images are ASCII; as UTF-8 one sign of an annotation may make it all four times as large
        for pod in _items(content.decode("latin-1")):
            _add(found, claimed, pod, keeps)
    except (ValueError, RecursionError):
        return None
    return PodList(found.containers, claimed | found.pods)


def _items(text: str) -> Iterator[Object]:
    """Raises ValueError when the list ends before its end."""
    start = _ITEMS.search(text)
    if start is None:
        raise ValueError("no items")
    if start.group(1) == "null":
        return
    decoder = json.JSONDecoder()
    at = _end_of_gap(text, start.end())
    while text[at : at + 1] != "]":
        item, at = decoder.raw_decode(text, at)
        yield object_of(item)
        at = _end_of_gap(text, at)


def _end_of_gap(text: str, at: int) -> int:
    gap = _BETWEEN.match(text, at)
    return gap.end() if gap is not None else at


def _add(found: PodList, claimed: dict[str, Identity], pod: Object, keeps: Callable[[str], bool]) -> None:
    """Put a pod into what was found by its own uid, and what it calls itself elsewhere into what is `claimed`."""
    metadata, status = object_of(pod.get("metadata")), object_of(pod.get("status"))
    name = text_of(metadata.get("name"))
    workload, kind = workload_of(name, _owner(pod))
    labels = {label: value for label, value in texts_of(metadata.get("labels")).items() if keeps(label)}
    namespace = text_of(metadata.get("namespace"))
    identity = Identity(namespace, name, workload=workload, workload_kind=kind, labels=labels)
    annotations = texts_of(metadata.get("annotations"))
    uid = text_of(metadata.get("uid"))
    if uid and name:
        found.pods[uid] = identity
    for told in (annotations.get(key, "") for key in _HASHES):
        if name and _HASH.fullmatch(told):
            claimed.setdefault(told, identity)
    for container in (object_of(one) for key in _STATUSES for one in list_of(status.get(key))):
        _, _, container_id = text_of(container.get("containerID")).partition("://")
        if container_id and name:
            known = Identity(container=text_of(container.get("name")), image=text_of(container.get("image")))
            found.containers[container_id] = known.filled_from(identity)


def _owner(pod: Object) -> Owner | None:
    """The owner that controls the pod; of one that the kubelet has from a file, the node."""
    metadata = object_of(pod.get("metadata"))
    source = texts_of(metadata.get("annotations")).get("kubernetes.io/config.source", "api")
    if source != "api":
        return Owner("Node", text_of(object_of(pod.get("spec")).get("nodeName")))
    owners = [object_of(owner) for owner in list_of(metadata.get("ownerReferences"))]
    for owner in sorted(owners, key=lambda owner: owner.get("controller") is not True):
        kind, name = text_of(owner.get("kind")), text_of(owner.get("name"))
        if kind and name:
            return Owner(kind, name)
    return None
