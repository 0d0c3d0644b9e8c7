"""The exporter as a process of its own, and a client for it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_OPENER = build_opener(ProxyHandler({}))  # loopback is never reached through the environment's proxy


@contextmanager
def exporter(*flags: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running exporter and its address, read from its log."""
    command = [sys.executable, "-m", "exporters", "--web.listen-address=127.0.0.1:0", "--log.format=json", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines = map(json.loads, process.stderr)
            yield next(line["url"] for line in lines if "url" in line).removesuffix("/metrics"), process
        finally:
            process.kill()


def get(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of a page."""
    request = Request(url, headers=headers)
    try:
        with _OPENER.open(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()
