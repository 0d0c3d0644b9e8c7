"""Builds and wires the log pipeline; the only place that knows all parts."""

from aiohttp import web
from prometheus_client import CollectorRegistry

from fenghuo import httpserve
from fenghuo.clock import SystemClock
from fenghuo.lifecycle import Lifecycle
from fenghuo.logs import get_logger
from fenghuo.telemetry import new_registry
from log_pipeline.adapters.catalog import SEARCHERS, SINKS, SOURCES, Tools
from log_pipeline.adapters.deadletter import DeadLetterFile
from log_pipeline.api.ledger import add_ledger_route
from log_pipeline.api.search import add_search_route
from log_pipeline.audit.metrics import PipelineMetrics
from log_pipeline.codec.document import DocumentEncoder
from log_pipeline.codec.filebeat import FilebeatDecoder
from log_pipeline.config import LogsConfig
from log_pipeline.flow.pipeline import Pipeline
from log_pipeline.ports import Source
from log_pipeline.stages.catalog import CATALOG


async def serve(life: Lifecycle, config: LogsConfig) -> None:
    """Run the pipeline of `config` until the end of `life`.

    Raises StartError when something that an operator must change keeps it from starting.
    """
    clock = SystemClock()
    tools = Tools(clock, FilebeatDecoder(), DocumentEncoder(), config.state.path)
    letters = DeadLetterFile(config.dead_letters.path, config.dead_letters.largest)
    sink = SINKS[config.sink.type](config.sink, tools)
    life.on_stop("sink", sink.close)
    source = SOURCES[config.source.type](config.source, tools)
    life.on_stop("source", source.close)
    pipeline = Pipeline(source, sink, letters, CATALOG, life, clock)
    searcher = SEARCHERS[config.sink.type](config.sink)
    life.on_stop("searcher", searcher.close)
    application = _application(life, pipeline, source, tools)
    add_search_route(application, searcher, clock)
    url = await httpserve.serve(life, application, config.web.listen_address)
    get_logger("logs").info("serving", url=url, source=config.source.type, sink=config.sink.type)
    await pipeline.run()


def _application(life: Lifecycle, pipeline: Pipeline, source: Source, tools: Tools) -> web.Application:
    application = httpserve.new_application(life, _registry(pipeline, source, tools))
    add_ledger_route(application, pipeline.ledger, pipeline.tracker)
    return application


def _registry(pipeline: Pipeline, source: Source, tools: Tools) -> CollectorRegistry:
    registry = new_registry("logs")
    registry.register(
        PipelineMetrics(
            source=source,
            ledger=pipeline.ledger,
            lines=pipeline.lines,
            pending=pipeline.tracker.pending,
            counts={
                "retries": pipeline.delivery.retries,
                "decoded": tools.decoder.counts,
                "encoded": tools.encoder.counts,
            },
            troubles=pipeline.health.troubles,
        )
    )
    return registry
