"""The exporter's process as its surroundings meet it: its log from the start on, its sockets, its users."""

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import bcrypt
import pytest

from tests.exporters.running import exporter, get
from tests.exporters.web.certificates import client, self_signed

EXPORTER = (sys.executable, "-m", "exporters", "--log.format=json")

AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""What systemd does before it starts a service that has a socket unit."""


class Process:
    """An exporter, and the lines of its log."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    def until(self, event: str) -> dict[str, Any]:
        """The next line that tells of this."""
        assert self.process.stderr is not None
        for text in self.process.stderr:
            self.lines.append(json.loads(text))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"the log ended without {event!r}: {self.lines}")

    def end(self) -> set[str]:
        """Stop it, and return all events of its log."""
        self.process.send_signal(signal.SIGTERM)
        self.until("stopped")
        assert self.process.wait(5) == 0
        return {line["event"] for line in self.lines}


@contextmanager
def started(command: Sequence[str], descriptors: Sequence[int] = ()) -> Iterator[Process]:
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, pass_fds=descriptors) as process:
        try:
            yield Process(process)
        finally:
            process.kill()


def port_of(line: Mapping[str, Any]) -> int:
    """The port in a line of the log that says where it listens."""
    return int(line["url"].removesuffix("/metrics").rpartition(":")[2])


@pytest.mark.parametrize(
    ("flags", "warned"),
    [
        (["--web.listen-address=127.0.0.1:0"], False),
        (["--web.listen-address=127.0.0.1:0", "--web.listen-address=:0"], True),
    ],
)
def test_reachable_by_everybody_is_said(flags: list[str], warned: bool) -> None:
    """Nothing listens beyond loopback without authentication unless the operator says so, and then it is told."""
    with started([*EXPORTER, *flags]) as running:
        addresses = [running.until("listening")["url"] for _ in flags]
        assert len(set(addresses)) == len(flags)
        assert ("listening beyond loopback without authentication" in running.end()) is warned


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration of TLS and one user, alice, whose password is wonder."""
    self_signed(tmp_path, "server", "IP:127.0.0.1")
    hashed = bcrypt.hashpw(b"wonder", bcrypt.gensalt(4)).decode()
    text = (
        f"tls_server_config: {{cert_file: server.crt, key_file: server.key}}\nbasic_auth_users: {{alice: {hashed}}}\n"
    )
    (tmp_path / "web.yml").write_text(text, encoding="utf-8")
    return tmp_path


def status(port: int, context: ssl.SSLContext, user: str) -> int:
    """What `user` (`name:password`) is answered over TLS."""
    request = Request(f"https://127.0.0.1:{port}/metrics")
    request.add_header("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}")
    try:
        with build_opener(ProxyHandler({}), HTTPSHandler(context=context)).open(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_with_authentication_nobody_is_warned(folder: Path) -> None:
    """TLS, a user, all interfaces: scraped, and the log has neither a warning nor the password."""
    with started([*EXPORTER, "--web.listen-address=:0", f"--web.config.file={folder / 'web.yml'}"]) as running:
        line = running.until("listening")
        assert (line["url"][:8], line["authentication"]) == ("https://", "on")
        trusting = client(folder / "server.crt")
        assert status(port_of(line), trusting, "alice:wonder") == 200
        assert status(port_of(line), trusting, "alice:wander") == 401
        assert "listening beyond loopback without authentication" not in running.end()
        assert "wonder" not in repr(running.lines)


def test_a_wrong_web_configuration_is_told_before_anything_listens(folder: Path) -> None:
    """Every mistake with its line, and exit code 1."""
    (folder / "web.yml").write_text("tls_server_config:\n  cert_file: server.crt\nusers: {}\n", encoding="utf-8")
    result = subprocess.run(
        [*EXPORTER, f"--web.config.file={folder / 'web.yml'}"], capture_output=True, text=True, timeout=20, check=False
    )
    assert result.returncode == 1
    assert result.stderr.replace(f"{folder}/", "").splitlines() == [
        "python -m exporters: web.yml:1: tls_server_config: expected one of key and key_file",
        "web.yml:3: users: unknown key, expected none of this name",
    ]


def test_systemds_socket_is_served() -> None:
    """As node_exporter's own unit wants it: nothing else is opened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-c", AS_SYSTEMD, str(listener.fileno()), *EXPORTER, "--web.systemd-socket"]
        with started(command, [listener.fileno()]) as running:
            listener.close()
            assert port_of(running.until("listening")) == port
            assert get(f"http://127.0.0.1:{port}/-/ready")[0] == 200
            running.end()


def test_without_a_socket_of_systemd_it_does_not_start() -> None:
    """One line of cause and remedy."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LISTEN_")}
    result = subprocess.run(
        [*EXPORTER, "--web.systemd-socket"], capture_output=True, text=True, timeout=20, check=False, env=environment
    )
    assert result.returncode == 1
    assert result.stderr.startswith("python -m exporters: systemd handed over no socket; start it by the .socket unit")


def test_the_first_scrape_needs_no_scraper(tmp_path: Path) -> None:
    """What can't be read is in the log before anybody asks."""
    (tmp_path / "loadavg").write_text("nonsense\n", encoding="utf-8")
    flags = ["--web.listen-address=127.0.0.1:0", f"--path.procfs={tmp_path}", "--collector.disable-defaults"]
    with started([*EXPORTER, *flags, "--collector.loadavg"]) as running:
        line = running.until("collector has no data")
        assert (line["collector"], line["reason"].startswith(f"{tmp_path}/loadavg:1: expected")) == ("loadavg", True)
        running.end()


def test_strangers_take_no_files_from_a_scraper() -> None:
    """Where few may be open, few connections are served: what collectors read is still there for who was first."""
    flags = ["--web.listen-address=127.0.0.1:0", "--collect=node", "--collector.disable-defaults", "--collector.stat"]
    with ExitStack() as stack:
        running = stack.enter_context(started(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *EXPORTER, *flags]))
        port = port_of(running.until("listening"))
        scraper = stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=5)))
        for _ in range(2):
            scraper.request("GET", "/metrics")
            assert 'node_scrape_collector_success{collector="stat"} 1' in scraper.getresponse().read().decode()
            strangers = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 5)) for _ in range(64)]
            assert strangers[-1].recv(100).startswith(b"HTTP/1.1 503 ")
        running.end()


def test_a_hang_up_changes_nothing() -> None:
    """Packages send SIGHUP for a reload; what a reload would read is read when it changes."""
    with exporter() as (url, process):
        process.send_signal(signal.SIGHUP)
        assert get(f"{url}/-/ready")[0] == 200


def test_metrics_of_the_process_can_be_left_out() -> None:
    """What dashboards find the instance by stays."""
    with exporter("--web.disable-exporter-metrics", "--collect=node", "--collector.disable-defaults") as (url, _):
        text = get(f"{url}/metrics")[2]
    assert "process_" not in text
    assert "node_exporter_build_info{" in text
