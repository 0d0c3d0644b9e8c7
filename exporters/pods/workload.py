"""What made a pod, by a name that stays when pods are replaced: from its owner, or from how it is called. Pure.

Kubernetes names what it makes (apimachinery, `pkg/util/rand` and `pkg/api/validation`):

    Deployment   web-7d9f8b6c5-x2k4q         ReplicaSet web-7d9f8b6c5: a hash as decimal digits in another alphabet
    CronJob      backup-28012345-x2k4q       Job backup-28012345: minutes since 1970; before Kubernetes 1.21 seconds
    StatefulSet  db-0
    others       agent-x2k4q                 five random letters after a name that is cut at 58
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]{5}"
_HASH = "[5-9bcdf][4-9bcdf]{6,9}"  # decimal digits as rand.SafeEncodeString writes them; fewer are one in 4,000
_WHEN = r"(?:2[5-9]|[3-9]\d)\d{6}|1[4-9]\d{8}"  # minutes from 2017 on, which no date such as 20260131 is, or seconds

_REPLICA_SET = re.compile(rf"(.+)-{_HASH}")
_JOB = re.compile(rf"(.+)-(?:{_WHEN})")
_STATEFUL = re.compile(r"(.+)-(?:0|[1-9]\d{0,4})")
_GENERATED = re.compile(rf"(.+)-{_RANDOM}")
_CUT = re.compile(rf"(.{{58}}){_RANDOM}")
_CUT_HASH = re.compile(r"-[5-9bcdf][4-9bcdf]*$")


class Owner(NamedTuple):
    """A pod's owner reference, of kind `Node` for a static pod."""

    kind: str
    name: str


class Workload(NamedTuple):
    """Name and kind; the kind is empty where it can't be told."""

    name: str
    kind: str


def workload_of(pod_name: str, owner: Owner | None = None) -> Workload:
    """What made the pod. A name like no other is its own workload."""
    if owner is None:
        return _by_name(pod_name)
    if owner.kind == "ReplicaSet":
        return _less(_REPLICA_SET, owner.name, "Deployment", owner.kind)
    if owner.kind == "Job":
        return _less(_JOB, owner.name, "CronJob", owner.kind)
    if owner.kind == "Node":
        return Workload(pod_name.removesuffix(f"-{owner.name}"), owner.kind)
    return Workload(owner.name, owner.kind)


def workload_in(labels: Mapping[str, str]) -> Workload:
    """The service that a container of Docker Compose or Swarm is of; empty when its labels don't say."""
    for label, kind in (
        ("com.docker.compose.service", "ComposeService"),
        ("com.docker.swarm.service.name", "SwarmService"),
    ):
        if labels.get(label):
            return Workload(labels[label], kind)
    return Workload("", "")


def _less(pattern: re.Pattern[str], name: str, kind: str, otherwise: str) -> Workload:
    """The name without what `pattern` says was added to it, then it is of `kind`."""
    match = pattern.fullmatch(name)
    return Workload(match.group(1), kind) if match else Workload(name, otherwise)


def _by_name(name: str) -> Workload:
    stateful = _STATEFUL.fullmatch(name)
    if stateful:
        return Workload(stateful.group(1), "StatefulSet")
    generated = _GENERATED.fullmatch(name)
    if generated:
        owner = generated.group(1)
        replicas = _less(_REPLICA_SET, owner, "Deployment", "")
        return replicas if replicas.kind else _less(_JOB, owner, "CronJob", "")
    cut = _CUT.fullmatch(name)
    return Workload(_CUT_HASH.sub("", cut.group(1)) if cut else name, "")
