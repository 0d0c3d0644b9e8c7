"""The only list of receiver kinds: `receivers:` of the configuration.

To add a kind, write one file with its configuration class, and one line here. The class's `build` makes the
receiver; the field's name without `_configs` is the kind's name in metrics and in the notification log.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict

from alerting.notify.ports import Integration
from alerting.receivers.console import ConsoleConfig
from alerting.receivers.tools import IntegrationConfig, Tools
from alerting.receivers.webhook import WebhookConfig
from fenghuo.config import Config


def _unknown(_: object) -> None:
    raise ValueError(f"unknown kind of receiver, expected one of {', '.join(KINDS)}")


def _named(name: str) -> str:
    if not name:
        raise ValueError("expected a name")
    return name


class ReceiverConfig(Config):
    """One entry of `receivers:`: a name, and for each kind the places to send to."""

    # Only so that an unknown kind is refused in our words, at its own line; nothing unknown is accepted.
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, BeforeValidator(_unknown)]]

    name: Annotated[str, AfterValidator(_named)]
    console_configs: tuple[ConsoleConfig, ...] = ()
    webhook_configs: tuple[WebhookConfig, ...] = ()

    def integrations(self) -> Iterator[tuple[str, int, IntegrationConfig]]:
        """(kind, index within the kind, configuration) of each place that this receiver sends to."""
        for field in KINDS:
            for index, config in enumerate(getattr(self, field)):
                yield field.removesuffix("_configs"), index, config

    def build(self, tools: Tools) -> list[Integration]:
        """The integrations that a message to this receiver goes through."""
        return [
            Integration(self.name, kind, index, config.send_resolved, config.build(tools))
            for kind, index, config in self.integrations()
        ]


KINDS = tuple(name for name in ReceiverConfig.model_fields if name.endswith("_configs"))
"""The keys of a receiver that hold configurations, in the catalog's order."""
