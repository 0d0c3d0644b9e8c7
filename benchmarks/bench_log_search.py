"""How fast lines go from container log files into SQLite, and how fast they are found again.

`python benchmarks/bench_log_search.py [LINES]`. Writes CRI files of 20 pods, runs the pipeline's own source, stages
and sink over them in this process, one after the other, then asks questions of different kinds. Everything is on
this machine and in one temporary folder.
"""

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from fenghuo.clock import SystemClock
from log_pipeline.adapters.files import FilesConfig, FileSource
from log_pipeline.adapters.sqlite import SqliteConfig, SqliteSink
from log_pipeline.adapters.sqlite_search import SqliteSearcher
from log_pipeline.flow.process import process
from log_pipeline.model.position import Partition
from log_pipeline.search.find import Search
from log_pipeline.search.query import parse
from log_pipeline.stages.catalog import CATALOG

TEXT = (
    "payment order user cart checkout failed timeout retry connection refused database query slow request response "
    "status code latency cache miss hit upstream gateway token expired invalid session login logout GET POST kafka"
)
WORDS = TEXT.split()
LEVELS = ["info"] * 45 + ["warn"] * 4 + ["error"]
QUERIES = (
    "",
    "payment",
    "level:error payment",
    "level:fatal",
    "支付 失败",
    "pay*",
    "*imeou*",
    "namespace:shop and not pod:web-3",
    '"connection refused" or timeout',
    "nosuchword",
)


def write_files(folder: Path, lines: int) -> int:
    """CRI log files of 20 pods; the bytes written."""
    chance = random.Random(7)
    files = [(folder / f"web-{pod}_{'shop' if pod < 10 else 'pay'}_app-{'a' * 64}.log").open("w") for pod in range(20)]
    for number in range(lines):
        second, micros = divmod(number * 500, 1_000_000)
        stamp = f"2200-11-21T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{micros:06d}Z"
        text = " ".join(chance.choices(WORDS, k=12)) + (" 支付失败" if number % 1000 == 0 else "")
        message = f"level={chance.choice(LEVELS)} {text} id={chance.getrandbits(48):012x} took={number % 9999}ms"
        files[number % 20].write(f"{stamp} stdout F {message}\n")
    for file in files:
        file.close()
    return sum(path.stat().st_size for path in folder.iterdir())


async def nothing(_: object) -> dict[Partition, int]:
    return {}


async def ship(folder: Path, lines: int) -> float:
    """Read, process and store all lines; the seconds it took."""
    clock = SystemClock()
    source = FileSource(FilesConfig(type="files", paths=[str(folder / "logs" / "*.log")]), folder, clock)
    sink = SqliteSink(SqliteConfig(type="sqlite", path=folder / "logs.sqlite"), clock)
    await sink.open()
    begun = time.perf_counter()
    await source.open(nothing)
    stored = 0
    while stored < lines:
        events = [record for record in await source.read(2000, 1.0) if process(record, CATALOG) is None]
        stored += len(await sink.write(events))
        await source.commit({event.position.partition: event.position.next for event in events})
    took = time.perf_counter() - begun
    await source.close()
    await sink.close()
    return took


async def main(lines: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "logs").mkdir()
        size = write_files(folder / "logs", lines)
        took = await ship(folder, lines)
        stored = (folder / "logs.sqlite").stat().st_size
        print(f"{lines:,} lines of {size / lines:.0f} bytes: {lines / took:,.0f} lines/s, {size / took / 1e6:.0f} MB/s")
        print(f"the database takes {stored / lines:.0f} bytes a line, index included")
        searcher = SqliteSearcher(folder / "logs.sqlite", deadline=60.0)
        for query in QUERIES:
            begun = time.perf_counter()
            found = await searcher.search(Search(parse(query)))
            took = (time.perf_counter() - begun) * 1000
            print(f"{took:8.1f} ms  {found.total:6d}{' ' if found.exact else '+'} lines  {query or '(everything)'}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000))
