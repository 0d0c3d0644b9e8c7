"""Names that runtimes made of what the kubelet asked for."""

import pytest

from exporters.pods.container_names import parse_name
from exporters.pods.identity import NOBODY, Identity


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("k8s_app_web-0_shop_4a163a05-439d_0", Identity("shop", "web-0", "app")),
        ("k8s_app_web-0_shop_4a163a05-439d_0_9f2c11d0", Identity("shop", "web-0", "app")),
        ("k8s_POD_web-0_shop_4a163a05-439d_0", Identity("shop", "web-0", "POD", sandbox=True)),
        ("k8s_web-0_shop_4a163a05-439d_0", Identity("shop", "web-0", "POD", sandbox=True)),
        ("k8s_app_web-0_shop", NOBODY),
        ("k8s__web-0_shop_uid_0", NOBODY),
        ("shop_web_1", NOBODY),
        ("", NOBODY),
    ],
)
def test_names_are_taken_apart(name: str, expected: Identity) -> None:
    """Container, pod and namespace; a sandbox is the container POD, also where CRI-O leaves that out."""
    assert parse_name(name) == expected
