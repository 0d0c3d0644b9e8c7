"""What a receiver may be given, and what its configuration class must offer."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import TextIO

from alerting.notify.ports import MessageStore, Receiver
from fenghuo.clock import Clock
from fenghuo.config import Config
from fenghuo.httpcall import HttpCaller


@dataclass(frozen=True, slots=True)
class Tools:
    """The outside world of all receivers, handed to each `build`."""

    http: HttpCaller
    messages: MessageStore
    clock: Clock
    output: TextIO
    external_url: str


class IntegrationConfig(Config):
    """The base of every receiver kind's configuration."""

    send_resolved: bool = True

    @abstractmethod
    def build(self, tools: Tools) -> Receiver:
        """The receiver that this describes."""
