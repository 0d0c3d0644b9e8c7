"""Which pod wrote a line is told by the event, else by the path of its file."""

import pytest

from log_pipeline.model.event import Pod
from log_pipeline.stages.pod import identify_pod, pod_of_path
from log_pipeline.testing import new_event

HEX = "0123456789abcdef" * 4
LINK = f"/var/log/containers/web-66b6c48dd5-ffdxp_default_nginx-{HEX}.log"


@pytest.mark.parametrize(
    ("path", "pod"),
    [
        (LINK, Pod("default", "web-66b6c48dd5-ffdxp", "nginx", container_id=HEX)),
        (f"/host{LINK}", Pod("default", "web-66b6c48dd5-ffdxp", "nginx", container_id=HEX)),
        (f"/var/log/containers/a.b_ns_my-app-2-{HEX}.log", Pod("ns", "a.b", "my-app-2", container_id=HEX)),
        ("/var/log/pods/shop_web-1_8e2b/app/0.log", Pod("shop", "web-1", "app", "8e2b")),
        ("/var/log/pods/shop_web-1_8e2b/app/12.log.20261121-093000", Pod("shop", "web-1", "app", "8e2b")),
        (f"/var/lib/docker/containers/{HEX}/{HEX}-json.log", Pod(container_id=HEX)),
        ("/var/log/syslog", None),
        (f"/srv/copied/web-1_shop_app-{HEX}.log", Pod("shop", "web-1", "app", container_id=HEX)),
        ("/var/log/containers/odd.log", None),
        ("", None),
    ],
)
def test_the_kubelets_paths_name_the_pod(path: str, pod: Pod | None) -> None:
    assert pod_of_path(path) == pod


def test_what_the_event_knows_is_not_touched() -> None:
    known = Pod("prod", "web-1", "app", "uid")
    event = new_event(pod=known)
    event.path = LINK
    identify_pod(event)
    assert (event.pod, event.added) == (known, {})


def test_an_event_without_a_pod_gets_the_whole_block() -> None:
    event = new_event()
    event.path = LINK
    identify_pod(event)
    assert event.pod == pod_of_path(LINK)
    assert event.added == {
        "kubernetes": {
            "namespace": "default",
            "pod": {"name": "web-66b6c48dd5-ffdxp"},
            "container": {"name": "nginx"},
        },
        "container.id": HEX,
    }


def test_an_event_that_knows_a_part_gets_only_the_rest() -> None:
    event = new_event(pod=Pod(namespace="other", uid="u-1"))
    event.path = LINK
    identify_pod(event)
    assert event.pod == Pod("other", "web-66b6c48dd5-ffdxp", "nginx", "u-1", HEX)
    assert event.added == {
        "kubernetes.pod.name": "web-66b6c48dd5-ffdxp",
        "kubernetes.container.name": "nginx",
        "container.id": HEX,
    }


def test_a_line_of_no_container_stays_as_it_is() -> None:
    event = new_event()
    event.path = "/var/log/syslog"
    identify_pod(event)
    assert (event.pod, event.added) == (None, {})
