"""The configuration as clients see it."""

import yaml

from alerting.api.config_text import alertmanager_yaml
from alerting.receivers.catalog import ReceiverConfig
from alerting.routing.tree import RouteConfig
from fenghuo.config import parse_config

ROUTE = """
receiver: team
group_wait: 90s
repeat_interval: 1d
routes:
- {matchers: [a="b"], continue: true, group_interval: 500ms, group_by: ['...']}
"""

RECEIVERS = """
name: team
console_configs: [{}]
webhook_configs:
- url: http://hook/token
  timeout: 5s
  send_resolved: false
  http_config: {basic_auth: {username: u, password: pw}}
"""


def test_it_is_alertmanagers_own_yaml_without_secrets_and_without_what_only_we_know() -> None:
    route, receiver = parse_config(ROUTE, RouteConfig, "f"), parse_config(RECEIVERS, ReceiverConfig, "f")
    assert yaml.safe_load(alertmanager_yaml(route, [receiver])) == {
        "route": {
            "receiver": "team",
            "group_wait": "1m30s",
            "repeat_interval": "1d",
            "routes": [{"matchers": ['a="b"'], "continue": True, "group_interval": "500ms", "group_by": ["..."]}],
        },
        "receivers": [
            {
                "name": "team",
                "webhook_configs": [
                    {
                        "url": "<secret>",
                        "timeout": "5s",
                        "send_resolved": False,
                        "http_config": {"basic_auth": {"username": "u", "password": "<secret>"}},
                    }
                ],
            }
        ],
    }


def test_what_it_shows_can_be_read_again() -> None:
    route = parse_config(ROUTE, RouteConfig, "f")
    shown = yaml.safe_load(alertmanager_yaml(route, []))
    assert RouteConfig.model_validate(shown["route"]) == route
