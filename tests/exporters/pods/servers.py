"""A kubelet and a CRI-O to ask: real servers on loopback and on a socket, which say what they are told to."""

import json
import socketserver
import ssl
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.exporters.machines import APP, UID
from tests.exporters.web.certificates import Pair

TOKEN = "eyJhbGciOi.the-right-one"


class Fake:
    """What a server says: a status and a body, or these very bytes; after `go_on` is set."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""
        self.raw: bytes | None = None
        self.token = ""
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.url = ""

    def says(self, value: object) -> None:
        """Answer with JSON from now on."""
        self.status, self.body, self.raw = 200, json.dumps(value).encode(), None

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        """To a request."""
        self.asked.append(path)
        self.authorizations.append(authorization)
        self.go_on.wait(60)
        if self.token and authorization != f"Bearer {self.token}":
            return 401, b"Unauthorized"
        return self.status, self.body


class _Handler(BaseHTTPRequestHandler):
    fake: Fake

    def do_GET(self) -> None:
        status, body = self.fake.answer(self.path, self.headers.get("Authorization", ""))
        if self.fake.raw is not None:
            self.wfile.write(self.fake.raw)
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


class _TlsServer(ThreadingHTTPServer):
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        return (self.context.wrap_socket(connection, server_side=True) if self.context else connection), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


@contextmanager
def kubelet(pair: Pair | None = None, token: str = "") -> Iterator[Fake]:
    """A kubelet that lists no pods; with TLS where there is a certificate, open to all without a token."""
    fake = Fake()
    fake.token = token
    fake.says(pod_list())
    server = _TlsServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    if pair is not None:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(pair.certificate, pair.key)
    fake.url = f"{'https' if pair else 'http'}://127.0.0.1:{server.server_address[1]}"
    with _serving(server, fake):
        yield fake


@contextmanager
def crio() -> Iterator[tuple[Fake, Path]]:
    """A CRI-O that knows no container, and the root of its host: a short path, as one of a socket has 107 bytes."""
    fake = Fake()
    fake.status = 404
    with tempfile.TemporaryDirectory(prefix="crio-") as root:
        folder = Path(root, "root/run/crio")
        folder.mkdir(parents=True)
        server = _UnixServer(str(folder / "crio.sock"), type("Handler", (_Handler,), {"fake": fake}))
        with _serving(server, fake):
            yield fake, Path(root)


@contextmanager
def _serving(server: socketserver.BaseServer, fake: Fake) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        fake.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
        assert not thread.is_alive()


def pod_list(*pods: object) -> dict[str, object]:
    """A v1 PodList."""
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": list(pods)}


def web_pod(labels: dict[str, str] | None = None, owner: tuple[str, str] = ("StatefulSet", "web")) -> dict[str, Any]:
    """The pod web-0 of namespace shop with the container app, as the kubelet describes it."""
    kind, name = owner
    return {
        "metadata": {
            "name": "web-0",
            "namespace": "shop",
            "uid": UID,
            "labels": labels or {},
            "ownerReferences": [{"kind": kind, "name": name, "controller": True}],
        },
        "spec": {"nodeName": "node-1"},
        "status": {"containerStatuses": statuses(("app", APP))},
    }


def statuses(*containers: tuple[str, str]) -> Sequence[dict[str, str]]:
    """Those of containers by name and id."""
    return [
        {"name": name, "image": f"registry/shop/{name}:1.2", "containerID": f"containerd://{one}"}
        for name, one in containers
    ]
