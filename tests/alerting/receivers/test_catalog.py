"""The catalog: what a receiver may be, what is refused, and that every kind keeps its word."""

import pytest

from alerting.receivers.catalog import KINDS
from fenghuo.errors import ConfigError
from tests.alerting.receivers.builders import receiver_config, tools

MISTAKES = [
    ("name: a\nslack_configs: [{}]", "f:2: slack_configs: unknown kind of receiver, expected one of "),
    ("name: ''", "f:1: name: expected a name"),
    ("webhook_configs: [{url: 'http://x'}]", "f:1: name: expected a value, the key is missing"),
    ("name: a\nwebhook_configs:\n- {}", "f:3: webhook_configs[0].url: expected a value, the key is missing"),
    *(
        (f"name: a\nwebhook_configs:\n- url: {url}", "f:3: webhook_configs[0]: expected url to be http://HOST or https")
        for url in ("ftp://x", "x/y", "'http://'", "'http://['", "http://x:port", "http://x:99999")
    ),
    ("name: a\nwebhook_configs:\n- {url: 'http://x', max_alerts: -1}", "f:3: webhook_configs[0].max_alerts: expected"),
    ("name: a\nwebhook_configs:\n- {url: 'http://x', surprise: 1}", "f:3: webhook_configs[0].surprise: unknown key"),
    (
        (
            "name: a\nwebhook_configs:\n- url: http://x\n  http_config:\n"
            "    basic_auth: {username: u}\n    authorization: {credentials: c}"
        ),
        "f:4: webhook_configs[0].http_config: expected one of authorization and basic_auth, not both",
    ),
    ("name: a\nconsole_configs: [{colour: red}]", "f:2: console_configs[0].colour: unknown key"),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_a_mistake_is_named_with_its_line_and_path(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        receiver_config(text)
    assert str(caught.value).startswith(expected)


def test_a_receiver_is_built_with_all_its_integrations_in_the_catalogs_order() -> None:
    config = receiver_config(
        "name: team\nwebhook_configs: [{url: 'http://x'}, {url: 'http://y', send_resolved: false}]\n"
        "console_configs: [{}]"
    )
    built = config.build(tools())
    assert [(one.key, one.kind, one.send_resolved) for one in built] == [
        ("team/console/0", "console", True),
        ("team/webhook/0", "webhook", True),
        ("team/webhook/1", "webhook", False),
    ]


def test_a_receiver_may_have_no_integration() -> None:
    assert receiver_config("name: nobody").build(tools()) == []


def test_every_kind_has_a_name_that_the_metrics_can_use() -> None:
    assert KINDS == ("console_configs", "webhook_configs")


def test_a_secret_does_not_show() -> None:
    config = receiver_config("name: a\nwebhook_configs: [{url: 'http://x/token'}]")
    assert "token" not in repr(config)


@pytest.mark.parametrize("timeout", ["-1", ".nan", ".inf"])
def test_a_time_out_that_is_no_time_is_refused(timeout: str) -> None:
    with pytest.raises(ConfigError, match=r"f:1: webhook_configs\[0\]\.timeout"):
        receiver_config(f"{{name: r, webhook_configs: [{{url: 'http://h/', timeout: {timeout}}}]}}")
