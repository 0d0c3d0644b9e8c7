"""The tools that receivers are given in tests."""

import io

from alerting.receivers.catalog import ReceiverConfig
from alerting.receivers.tools import Tools
from alerting.testing import MemoryMessages
from fenghuo.config import parse_config
from fenghuo.httpcall import HttpCaller
from fenghuo.testing import FakeCaller, ManualClock

START = 1_700_000_000.0


def tools(http: HttpCaller | None = None) -> Tools:
    return Tools(
        http=http or FakeCaller(),
        messages=MemoryMessages(),
        clock=ManualClock(START),
        output=io.StringIO(),
        external_url="http://alerts.example",
    )


def receiver_config(text: str) -> ReceiverConfig:
    """One entry of `receivers:` from YAML."""
    return parse_config(text, ReceiverConfig, "f")
