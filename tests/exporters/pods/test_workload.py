"""Names of pods as controllers make them, and what made them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.pods.workload import Owner, Workload, workload_in, workload_of

LONG = "a-name-of-fifty-eight-letters-that-leaves-no-space-for-all"


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ("web-7d9f8b6c5-x2k4q", Workload("web", "Deployment")),
        ("shop-web-5d78c9869d-zzzzz", Workload("shop-web", "Deployment")),
        ("db-0", Workload("db", "StatefulSet")),
        ("db-12", Workload("db", "StatefulSet")),
        ("backup-28012345-x2k4q", Workload("backup", "CronJob")),
        ("backup-1600000000-x2k4q", Workload("backup", "CronJob")),
        ("agent-x2k4q", Workload("agent", "")),
        ("migrate-20260131-x2k4q", Workload("migrate-20260131", "")),
        ("web-abcdefghi-x2k4q", Workload("web-abcdefghi", "")),
        ("job-0-x2k4q", Workload("job-0", "")),
        ("toolbox", Workload("toolbox", "")),
        ("db-007", Workload("db-007", "")),
        ("my-front", Workload("my-front", "")),
        (LONG + "x2k4q", Workload(LONG, "")),
        (LONG[:-5] + "-7d9f" + "x2k4q", Workload(LONG[:-5], "")),
        ("-0", Workload("-0", "")),
        ("", Workload("", "")),
    ],
)
def test_a_name_tells_what_made_the_pod(pod: str, expected: Workload) -> None:
    """As far as it goes: those of a DaemonSet, a Job and a ReplicaSet are alike, and a date is no time of a CronJob."""
    assert workload_of(pod) == expected


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (Owner("ReplicaSet", "web-7d9f8b6c5"), Workload("web", "Deployment")),
        (Owner("ReplicaSet", "web-blue"), Workload("web-blue", "ReplicaSet")),
        (Owner("Job", "backup-28012345"), Workload("backup", "CronJob")),
        (Owner("Job", "migrate-20260131"), Workload("migrate-20260131", "Job")),
        (Owner("DaemonSet", "agent"), Workload("agent", "DaemonSet")),
        (Owner("StatefulSet", "db"), Workload("db", "StatefulSet")),
        (Owner("Rollout", "web-7d9f8b6c5"), Workload("web-7d9f8b6c5", "Rollout")),
        (Owner("Node", "node-1"), Workload("etcd", "Node")),
        (Owner("Node", "another"), Workload("etcd-node-1", "Node")),
        (Owner("Node", ""), Workload("etcd-node-1", "Node")),
    ],
)
def test_an_owner_tells_it_for_sure(owner: Owner, expected: Workload) -> None:
    """Whatever the pod is called; what an owner was made by is in the owner's own name."""
    assert workload_of("etcd-node-1", owner) == expected


@given(st.text(max_size=80))
def test_no_name_is_a_surprise(name: str) -> None:
    """A workload's name is the beginning of its pods'."""
    assert name.startswith(workload_of(name).name)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"com.docker.compose.service": "web"}, Workload("web", "ComposeService")),
        ({"com.docker.swarm.service.name": "shop_web"}, Workload("shop_web", "SwarmService")),
        ({"com.docker.compose.service": ""}, Workload("", "")),
        ({"app": "web"}, Workload("", "")),
    ],
)
def test_docker_says_it_with_labels(labels: dict[str, str], expected: Workload) -> None:
    """Those of Compose and Swarm."""
    assert workload_in(labels) == expected
