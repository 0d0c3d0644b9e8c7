"""What bounds a caller's connections."""

import asyncio

from fenghuo.httpcall import AiohttpCaller, Request
from fenghuo.testing import RecordingServer


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def test_a_slow_server_holds_up_its_own_calls_only() -> None:
    async def main() -> int:
        silent = await asyncio.start_server(_silent, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        async with silent, RecordingServer() as quick, AiohttpCaller(connections=1) as http:
            waiting = asyncio.ensure_future(http.call(Request("GET", f"http://127.0.0.1:{port}/")))
            await asyncio.sleep(0)
            answer = await http.call(Request("GET", quick.url, timeout=1.0))
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return answer.status

    assert asyncio.run(main()) == 200
