"""A server behind a web configuration, and requests to it."""

import base64
import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exporters.listen import listen
from exporters.messages import Request, Response
from exporters.serve import Limits, Server
from exporters.testing import RecordingLog
from exporters.web.protection import Protection


class Site:
    """A server on loopback whose only answer is `hello`."""

    def __init__(self, port: int, protection: Protection, log: RecordingLog) -> None:
        self.port = port
        self.protection = protection
        self.log = log

    def get(self, context: ssl.SSLContext | None = None, user: str = "", **headers: str) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer; over TLS with a `context`, as `user` (`name:password`) if given."""
        if user:
            headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
        with closing(self.connect(context)) as connection:
            connection.request("GET", "/", headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, dict(answer.headers)

    def connect(self, context: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
        """A connection that is not yet made."""
        if context is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)


@contextmanager
def serving(config: Path, limits: Limits | None = None) -> Iterator[Site]:
    """The server, as long as the test needs it."""
    log = RecordingLog()
    protection = Protection(str(config), log)
    listeners = listen(["127.0.0.1:0"])
    site = Site(listeners[0].getsockname()[1], protection, log)
    server = Server(listeners, protection.guard(hello), log, limits, protection.secure)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield site
    finally:
        server.stop()
        thread.join(5)
        assert not thread.is_alive()


def hello(_: Request) -> Response:
    return Response(b"hello")
