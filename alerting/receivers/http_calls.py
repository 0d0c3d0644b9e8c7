"""What all receivers that speak HTTP share: authentication, and the reading of an answer."""

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import model_validator

from alerting.notify.outcome import Delivered, FailReason, Outcome, Refused, TryAgain
from alerting.notify.retry import retry_after
from fenghuo.config import Config
from fenghuo.errors import RemoteError, RemoteTimeout
from fenghuo.httpcall import Answer, HttpCaller, Request
from fenghuo.secrets import Secret

ALERTMANAGER_VERSION = "0.34.0"
"""The level of Alertmanager that we speak; ours is under another name."""

USER_AGENT = f"Alertmanager/{ALERTMANAGER_VERSION}"

LARGEST_ANSWER = 64 << 10


class BasicAuth(Config):
    """`basic_auth`: user and password, the password also as `password_file`."""

    username: str
    password: Secret = Secret("")

    def header(self) -> str:
        pair = f"{self.username}:{self.password.reveal()}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


class Authorization(Config):
    """`authorization`: a header `<type> <credentials>`, the credentials also as `credentials_file`."""

    type: str = "Bearer"
    credentials: Secret

    def header(self) -> str:
        return f"{self.type} {self.credentials.reveal()}"


class HttpConfig(Config):
    """`http_config` of a receiver."""

    authorization: Authorization | None = None
    basic_auth: BasicAuth | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "HttpConfig":
        if self.authorization and self.basic_auth:
            raise ValueError("expected one of authorization and basic_auth, not both")
        return self

    def headers(self) -> dict[str, str]:
        """The headers that prove who we are; reveals the secrets."""
        way = self.authorization or self.basic_auth
        return {"Authorization": way.header()} if way else {}


async def post(http: HttpCaller, request: Request, now: float) -> Outcome:
    """Send and read the answer as `judge` does; a failed connection is worth another try.

    A receiver's URL is a secret: details name its scheme and host only.
    """
    origin = _origin(request.url)
    try:
        return judge(await http.call(request), origin, now)
    except RemoteTimeout as error:
        return TryAgain(FailReason.TIMEOUT, f"{origin}: {error.reason}")
    except RemoteError as error:
        return TryAgain(FailReason.OTHER, f"{origin}: {error.reason.replace(request.url, origin)}")


def judge(answer: Answer, origin: str, now: float) -> Outcome:
    """2xx: delivered; 5xx and 429: later, when the receiver says; anything else: never. Pure.

    Alertmanager's notify/util.go, and 429 besides, which it gives up on.
    """
    if 200 <= answer.status < 300:
        return Delivered()
    detail = f"{origin} answered {answer.status}: {answer.text()[:200]}"
    after = retry_after(_header(answer.headers, "Retry-After"), now)
    if answer.status >= 500:
        return TryAgain(FailReason.SERVER_ERROR, detail, after)
    if answer.status == 429:
        return TryAgain(FailReason.CLIENT_ERROR, detail, after)
    reason = FailReason.CLIENT_ERROR if answer.status >= 400 else FailReason.OTHER
    return Refused(reason, detail)


def is_http_url(url: str) -> bool:
    """Whether a receiver can be called there: http or https, and a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")
