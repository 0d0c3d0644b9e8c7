"""HTTP/1.1 as far as a scraper speaks it: a request's head, and the bytes of an answer. No socket here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request without a body. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """What to send; `Content-Length` is added."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]


class Refused(Exception):
    """A request that is answered with this status, after which the connection is closed."""

    def __init__(self, status: int, text: str) -> None:
        self.response = Response(f"{text}\n".encode(), status=status)
        super().__init__(text)


def parse_head(head: bytes) -> tuple[Request, bool]:
    """A request's head as (request, whether to close after the answer). Raises Refused."""
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = first.split(" ")
    except ValueError:
        raise Refused(400, "expected `METHOD target HTTP/1.1`") from None
    if not version.startswith("HTTP/1."):
        raise Refused(400, "expected HTTP/1.0 or HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Refused(400, "expected header lines `Name: value`")
        headers[name.lower()] = value.strip()
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise Refused(413, "expected a request without a body")
    if method not in ("GET", "HEAD"):
        raise Refused(405, "expected GET or HEAD")
    path, _, query = target.partition("?")
    try:
        arguments = parse_qs(query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise Refused(400, "expected at most 200 query parameters") from None
    wish = headers.get("connection", "").lower()
    close = wish == "close" or (version == "HTTP/1.0" and wish != "keep-alive")
    return Request(method, unquote(path), arguments, headers), close


def encoded(response: Response, *, close: bool, bodiless: bool = False) -> bytes:
    """An answer as it goes over the wire; `bodiless` is for HEAD."""
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "X-Content-Type-Options": "nosniff",
        "Connection": "close" if close else "keep-alive",
        **response.headers,
    }
    lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if bodiless else head + response.body
