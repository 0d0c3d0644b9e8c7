"""`fenghuo up` as a command: what it says, who may run it, how it ends, and what it remembers."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.acceptance.up_process import Up, fenghuo, is_gone


class EmptyPrometheus(BaseHTTPRequestHandler):
    """A Prometheus that is ready and knows nothing."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "success", "data": {"version": "2.53.0", "resultType": "vector", "result": []}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextmanager
def empty_prometheus() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPrometheus) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def is_up(line: str) -> bool:
    return line == "Ctrl-C stops everything"


def test_one_start_one_owner_an_orderly_end_and_the_same_addresses_again(tmp_path: Path) -> None:
    with empty_prometheus() as url:
        with Up(tmp_path, "--prometheus-url", url) as stack:
            stack.wait_for(is_up, 60)
            first = stack.status()
            assert (first["code"], first["ok"], first["state"]) == (0, True, str(tmp_path))
            snippet = tmp_path / "config" / "scrape-snippet.yml"
            assert f"add the scrape jobs of {snippet} to {url} and reload it" in stack.printed
            second = fenghuo("up", "--state", str(tmp_path), "--prometheus-url", url)
            assert second.returncode == 1
            assert f"the state folder {tmp_path} is in use by process {first['pid']}" in second.stderr
            pids = stack.pids()
            code, seconds = stack.interrupt(signal.SIGHUP)  # the terminal was closed
            assert (code, seconds < 5) == (0, True)
            assert [name for name, pid in pids.items() if not is_gone(pid)] == []
        with Up(tmp_path, "--prometheus-url", url) as stack:
            stack.wait_for(is_up, 60)
            again = stack.status()
            assert [part["url"] for part in again["parts"]] == [part["url"] for part in first["parts"]]
            assert fenghuo("up", "stop", "--state", str(tmp_path)).stdout == "stopped\n"
            assert fenghuo("up", "status", "--state", str(tmp_path)).returncode == 3


def test_a_prometheus_that_does_not_answer_is_said_before_anything_starts(tmp_path: Path) -> None:
    ran = fenghuo("up", "--state", str(tmp_path), "--prometheus-url", "http://127.0.0.1:9")
    assert ran.returncode == 1
    assert ran.stderr.startswith("fenghuo: no Prometheus answers at http://127.0.0.1:9 (")
    assert ran.stderr.rstrip().endswith("; check --prometheus-url")
    assert ran.stdout == ""
