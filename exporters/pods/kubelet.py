"""Names, owners and labels of pods from the kubelet, for an operator who gives its address: `/pods` on port 10250 with
a token that may get `nodes/pods`, or `nodes/proxy` before Kubernetes 1.33; or on port 10255, where it is open to all.
"""

import re
import socket
from fnmatch import translate
from functools import partial
from posixpath import split
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from exporters.host import Host, Unreadable
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.fetch import Failure, Limits, fetch
from exporters.pods.identity import NOBODY, Identity, Source
from exporters.pods.pod_list import PodList, parse_pods
from fenghuo.backoff import Backoff

if TYPE_CHECKING:
    import ssl

LIMITS = Limits(seconds=2.0, size=32 << 20)

ASK_AGAIN_AFTER = 10.0
"""Seconds between two requests at least, when a pod is not in the last answer."""

ASK_AGAIN_FOR_CONTAINER_AFTER = 60.0
"""The same when its pod is: a sandbox is in no answer, and asks again and again where no file tells what it is."""

AFTER_FAILURE = Backoff(first=ASK_AGAIN_AFTER, limit=300.0, jitter=0.0)

_PORTS = {"https": 10250, "http": 10255}
_HINTS = {
    401: ", the token in {} is not accepted",
    403: ", the token in {} may get neither nodes/pods nor nodes/proxy",
}
_HINT_WITHOUT = ", there is no token in {}"


class _Url(NamedTuple):
    """The parts of a URL that are used; a user's name and password are not."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def is_https(self) -> bool:
        return self.scheme == "https"


class Door(NamedTuple):
    """How to get in: the URL, and files that are read at each request. Without a CA file, the system's are trusted."""

    url: str
    token_file: str = ""
    ca_file: str = ""
    insecure: bool = False
    """The certificate is not checked."""


class Kubelet(Source):
    """Asks for all pods when one is not in the last answer, which is kept as long as there is no other.

    `labels` are the names of the labels that are wanted, `*` stands for any text.
    """

    essential = True

    def __init__(self, host: Host, door: Door, labels: tuple[str, ...] = (), limits: Limits = LIMITS) -> None:
        self._host = host
        self._door = door
        self._keeps = re.compile("|".join(map(translate, labels)) or r"(?!)").match
        self._limits = limits
        self._list = PodList({}, {})
        self._asked_at = float("-inf")
        self._failures = 0

    def identity(self, place: Place, now: float) -> Identity:
        found = self._find(place)
        if not place.pod_uid:
            return found
        if found == NOBODY:
            return self._find(place) if self._ask(now, ASK_AGAIN_AFTER) else NOBODY
        if place.kind is Kind.CONTAINER and not found.container and self._ask(now, ASK_AGAIN_FOR_CONTAINER_AFTER):
            return self._find(place)
        return found

    def _find(self, place: Place) -> Identity:
        known = self._list.containers.get(place.container_id)
        return known if known is not None else self._list.pods.get(place.pod_uid, NOBODY)

    def _ask(self, now: float, after: float) -> bool:
        """Get a new list if the last try is long enough ago; whether there is one."""
        if self._failures:
            after = max(after, AFTER_FAILURE.delay(self._failures - 1))
        if self._asked_at <= now < self._asked_at + after:
            return False
        self._asked_at = now
        answer = self._get()
        if isinstance(answer, Failure):
            self._failures += 1
            self.fault = answer.reason
            return False
        self._failures, self.fault, self._list = 0, "", answer
        return True

    def _get(self) -> PodList | Failure:
        url = _parse(self._door.url)
        if url is None:
            return Failure("expected a URL such as https://127.0.0.1:10250")
        token = self._token() if url.is_https else ""
        headers = {"Host": url.host, "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        answer = fetch(partial(self._connect, url), url.path, headers, self._limits)
        if isinstance(answer, Failure):
            hint = _HINTS.get(answer.status, "")
            hint = hint if token or not hint else _HINT_WITHOUT
            return answer._replace(reason=f"{url}: {answer.reason}{hint.format(self._door.token_file)}")
        pods = parse_pods(answer, lambda label: self._keeps(label) is not None)
        return pods if pods is not None else Failure(f"{url}: the answer is no list of pods")

    def _connect(self, url: _Url, seconds: float) -> socket.socket:
        connection = socket.create_connection((url.host, url.port), seconds)
        try:
            return self._tls().wrap_socket(connection, server_hostname=url.host) if url.is_https else connection
        except (OSError, ValueError):
            connection.close()
            raise

    def _tls(self) -> "ssl.SSLContext":
        import ssl  # most operators give no kubelet

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._door.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif not self._door.ca_file:
            context.load_default_certs()
        else:
            content = self._read(self._door.ca_file)
            if isinstance(content, Unreadable):
                raise OSError(str(content))
            try:
                context.load_verify_locations(cadata=content.decode("ascii", "replace"))
            except (ssl.SSLError, ValueError) as error:
                raise OSError(f"no certificates in {self._door.ca_file}") from error
        return context

    def _token(self) -> str:
        """What the file holds now, as it is replaced every hour; empty when it holds nothing that can be sent."""
        content = self._read(self._door.token_file) if self._door.token_file else b""
        token = "" if isinstance(content, Unreadable) else content.decode("ascii", "replace").strip()
        return token if token.isascii() and token.isprintable() else ""

    def _read(self, path: str) -> bytes | Unreadable:
        folder, name = split(path)
        return self._host.folder(folder or ".").read(name)


def _parse(text: str) -> _Url | None:
    """The URL of the list of pods; None when `text` is none."""
    try:
        url = urlsplit(text)
        port = url.port or _PORTS[url.scheme]
    except (ValueError, KeyError):
        return None
    return _Url(url.scheme, url.hostname, port, f"{url.path.rstrip('/')}/pods") if url.hostname else None
