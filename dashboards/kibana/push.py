"""Hand saved objects over to a Kibana through its import API; a Kibana that is still starting is waited for.

API: POST /api/saved_objects/_import?overwrite=true, multipart, header kbn-xsrf.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from dashboards.kibana.objects import SavedObject, render
from fenghuo.backoff import Backoff
from fenghuo.clock import Clock
from fenghuo.errors import RemoteAnswer, RemoteRefused, RemoteTimeout
from fenghuo.httpcall import Answer, HttpCaller, Request
from fenghuo.secrets import Secret

BACKOFF = Backoff(first=1.0, limit=10.0)
STARTING = frozenset({429, 502, 503, 504})
"""Answers of a Kibana, or of a proxy before it, that is not ready yet."""


@dataclass(frozen=True, slots=True)
class Kibana:
    """Where it is and as whom we come; without a password no credentials are sent."""

    url: str
    user: str = "elastic"
    password: Secret = field(default_factory=lambda: Secret(""))

    def headers(self) -> Mapping[str, str]:
        """What every call carries."""
        headers = {"kbn-xsrf": "true"}
        if self.password:
            pair = f"{self.user}:{self.password.reveal()}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        return headers


async def push(
    kibana: Kibana, objects: Sequence[SavedObject], caller: HttpCaller, clock: Clock, patience: float
) -> int:
    """Import the objects over those of the same id; returns how many were taken.

    `patience` is how many seconds a Kibana that is not ready is waited for. Raises RemoteError when it does not
    come up, when it refuses, or when it takes only some (which it names).
    """
    request = import_request(kibana, objects)
    end, attempt = clock.monotonic() + patience, 0
    while True:
        try:
            return _taken(_ready(await caller.call(request)))
        except (RemoteRefused, RemoteTimeout, _NotReady):
            delay = BACKOFF.delay(attempt)
            if clock.monotonic() + delay > end:
                raise
        attempt += 1
        await clock.sleep(delay)


def import_request(kibana: Kibana, objects: Sequence[SavedObject]) -> Request:
    """The objects as the one multipart request that Kibana wants."""
    content = render(objects).encode()
    boundary = "fenghuo-" + blake2b(content, digest_size=12).hexdigest()
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="fenghuo.ndjson"\r\n'
        "Content-Type: application/ndjson\r\n\r\n"
    )
    return Request(
        "POST",
        f"{kibana.url.rstrip('/')}/api/saved_objects/_import?overwrite=true",
        body=head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        headers={**kibana.headers(), "Content-Type": f"multipart/form-data; boundary={boundary}"},
        timeout=30.0,
    )


class _NotReady(RemoteAnswer):
    """An answer that a later try may better."""


def _ready(answer: Answer) -> Answer:
    if answer.status in STARTING:
        raise _NotReady(answer.url, answer.status, answer.text())
    return answer.ok()


def _taken(answer: Answer) -> int:
    result = answer.json()
    if not result.get("success"):
        refused = "; ".join(f"{item.get('type')} {item.get('id')}: {item.get('error')}" for item in result["errors"])
        raise RemoteAnswer(answer.url, answer.status, f"not imported: {refused}")
    return int(result["successCount"])
