"""Every metric that our products publish, with its labels, from their own expositions."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from prometheus_client.parser import text_string_to_metric_families

from alerting.app import serve as serve_alerting
from alerting.config import Flags
from exporters.host import Host, Roots
from exporters.node.meminfo import MemInfo
from exporters.testing import text_of
from fenghuo.httpcall import AiohttpCaller, Request
from fenghuo.httpserve import free_port
from fenghuo.lifecycle import Lifecycle
from fenghuo.telemetry import exposition, new_registry
from log_pipeline.audit.ledger import Ledger
from log_pipeline.audit.lines import LineCounts
from log_pipeline.audit.metrics import PipelineMetrics
from log_pipeline.model.outcome import Indexed
from log_pipeline.testing import PARTITION, FakeLog, FakeSource, new_event
from tests.exporters.machines import NOW, golden_texts

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "alerting/rules/library/starter.yml"

SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("", "_count", "_sum"), "counter": ("_total", "")}

ENGINE = f"""\
sources: [{{name: prometheus, type: prometheus, url: "http://127.0.0.1:1"}}]
rule_files: ["{STARTER}"]
storage: {{path: state}}
route: {{receiver: console}}
receivers: [{{name: console, console_configs: [{{}}]}}]
"""


def published(folder: Path) -> Mapping[str, frozenset[str] | None]:
    """Metric name → its label names; None where no series tells them yet."""
    # the recorded machine is older than MemAvailable, which every kernel since 3.14 has
    exporters = [*golden_texts(folder).values(), text_of(MemInfo(Host(Roots())).collect(NOW))]
    found: dict[str, frozenset[str] | None] = {}
    for text in (*exporters, asyncio.run(_of_engine(folder)), _of_pipeline("bytes"), _of_pipeline("messages")):
        for family in text_string_to_metric_families(text):
            for suffix in SUFFIXES.get(family.type, ("",)):
                found.setdefault(family.name + suffix, None)
            for sample in family.samples:
                found[sample.name] = (found.get(sample.name) or frozenset()) | sample.labels.keys()
    return found


async def _of_engine(folder: Path) -> str:
    """The `/metrics` of an alert engine that runs with the starter rules."""
    config = folder / "alerting.yml"
    config.write_text(ENGINE, encoding="utf-8")
    life = _Announced("alerting")
    address = f"127.0.0.1:{free_port()}"
    flags = Flags(config, storage_path=str(folder / "state"), listen_address=address)
    serving = asyncio.ensure_future(serve_alerting(life, flags))
    try:
        await asyncio.wait({serving, asyncio.ensure_future(life.announced.wait())}, return_when="FIRST_COMPLETED")
        async with AiohttpCaller() as caller:
            return (await caller.call(Request("GET", f"http://{address}/metrics"))).ok().text()
    finally:
        life.stop()
        await serving
        await life.close()


class _Announced(Lifecycle):
    """A life whose readiness can be waited for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.announced = asyncio.Event()

    def ready(self) -> None:
        super().ready()
        self.announced.set()


def _of_pipeline(unit: Literal["bytes", "messages"]) -> str:
    """The exposition of a log pipeline that has seen one event."""
    source, ledger, lines = FakeSource(FakeLog()), Ledger(), LineCounts()
    source.lag_unit = unit
    ledger.read(PARTITION, 1)
    ledger.settle(PARTITION, Indexed())
    lines.add(new_event(level="error"))
    counts = {"retries": {"unreachable": 1}}
    registry = new_registry("logs")
    registry.register(PipelineMetrics(source, ledger, lines, dict, counts, {}))
    return exposition(registry, "")[0].decode()
