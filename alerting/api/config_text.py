"""The configuration as `/api/v2/status` shows it: fit for Alertmanager's own loader, and without secrets. Pure."""

from collections.abc import Sequence
from typing import Any

import yaml

from alerting.receivers.catalog import ReceiverConfig
from alerting.routing.tree import RouteConfig
from fenghuo.durations import format_duration

_DURATIONS = frozenset({"group_wait", "group_interval", "repeat_interval", "timeout"})

_OURS = frozenset({"console_configs"})
"""Kinds of receiver that Alertmanager does not know, and would refuse the file for."""


def alertmanager_yaml(route: RouteConfig, receivers: Sequence[ReceiverConfig]) -> str:
    """`route` and `receivers` as YAML; secrets read `<secret>`."""
    shown = {
        "route": _plain(route.model_dump(mode="json", by_alias=True, exclude_defaults=True)),
        "receivers": [
            _plain(receiver.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(_OURS)))
            for receiver in receivers
        ],
    }
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)


def _plain(value: Any) -> Any:
    """Durations back to the words that Go reads."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: format_duration(item) if key in _DURATIONS and isinstance(item, float) else _plain(item)
        for key, item in value.items()
    }
