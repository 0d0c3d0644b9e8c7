"""The product as it is wired: a container's log file in, the answer to a search out, an orderly end."""

import asyncio
from pathlib import Path
from typing import Any

from fenghuo.addresses import free_port
from fenghuo.clock import SystemClock
from fenghuo.errors import RemoteRefused
from fenghuo.httpcall import AiohttpCaller, Request
from fenghuo.lifecycle import Lifecycle
from log_pipeline.app import serve
from log_pipeline.config import LogsConfig


def configuration(folder: Path) -> LogsConfig:
    return LogsConfig.model_validate(
        {
            "source": {"type": "files", "paths": [str(folder / "*.log")]},
            "sink": {"type": "sqlite", "path": str(folder / "logs.sqlite")},
            "dead_letters": {"path": str(folder / "dead.ndjson")},
            "state": {"path": str(folder / "state")},
            "web": {"listen_address": f"127.0.0.1:{free_port()}"},
        }
    )


async def run_until(config: LogsConfig, indexed: int, *paths: str) -> list[Any]:
    """Run the pipeline until so many events are indexed or known; what these paths then answer."""
    life = Lifecycle("logs")
    running = asyncio.ensure_future(serve(life, config))
    async with AiohttpCaller() as caller:

        async def get(path: str) -> Any:
            answer = await caller.call(Request("GET", f"http://{config.web.listen_address}{path}"))
            return answer.json() if path.startswith("/api") else answer.text()

        for _ in range(400):
            try:
                if (await get("/api/v1/ledger"))["totals"]["indexed"] >= indexed:
                    break
            except RemoteRefused:
                pass  # it does not listen yet
            await SystemClock().sleep(0.02)
        answers = [await get(path) for path in paths]
    life.stop()
    await running
    await life.close()
    return answers


def test_lines_are_shipped_counted_and_found(tmp_path: Path) -> None:
    log = tmp_path / f"web-1_shop_app-{'a' * 64}.log"
    log.write_text("".join(f"2200-11-21T09:30:00.{n:09}Z stdout F ERROR payment {n}\n" for n in range(30)))
    search = "/api/v1/search?q=level:error+namespace:shop+payment&limit=1"
    found, metrics, ready = asyncio.run(run_until(configuration(tmp_path), 30, search, "/metrics", "/-/ready"))
    assert found["total"] == 30
    assert (found["lines"][0]["pod"], found["lines"][0]["message"]) == ("web-1", "ERROR payment 29")
    assert 'fenghuo_logs_lines_total{level="error",namespace="shop"} 30.0' in metrics
    assert 'fenghuo_logs_events_total{outcome="indexed",reason="created"} 30.0' in metrics
    assert ready == "logs is ready.\n"


def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    log = tmp_path / f"web-1_shop_app-{'a' * 64}.log"
    log.write_text("2200-11-21T09:30:00.1Z stdout F one\n")
    asyncio.run(run_until(configuration(tmp_path), 1))
    with log.open("a") as file:
        file.write("2200-11-21T09:30:00.2Z stdout F two\n")
    ledger, found = asyncio.run(run_until(configuration(tmp_path), 1, "/api/v1/ledger", "/api/v1/search"))
    assert ledger["totals"]["read"] == 1
    assert [line["message"] for line in found["lines"]] == ["two", "one"]
