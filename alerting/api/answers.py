"""Answers and parameters that all routes of the API share."""

from typing import Any

import msgspec
from aiohttp import web

NO_STORE = {"Cache-Control": "no-store"}

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class BadRequest(Exception):
    """The request can't be understood; the text says what was expected. Ends as status 400."""


def json_answer(value: object, status: int = 200) -> web.Response:
    """`value` as JSON, not to be cached."""
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json", headers=NO_STORE
    )


def decode(body: bytes) -> Any:
    """JSON to plain values. Raises BadRequest, also for nesting too deep and for broken UTF-8."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"expected JSON ({error})") from error


def flag(request: web.Request, name: str, default: bool = True) -> bool:
    """A true or false parameter. Raises BadRequest for anything else."""
    text = request.query.get(name)
    if text is None:
        return default
    if text.lower() not in _BOOLEANS:
        raise BadRequest(f"expected true or false for {name}, got {text!r}")
    return _BOOLEANS[text.lower()]


def number(request: web.Request, name: str, default: int, most: int) -> int:
    """A parameter from 1 to `most`. Raises BadRequest for anything else."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not 1 <= int(text) <= most:
        raise BadRequest(f"expected a number from 1 to {most} for {name}, got {text!r}")
    return int(text)
