"""Texts out of JSON that others wrote: whatever it holds, nothing here raises. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from exporters.host import Unreadable

LONGEST = 1024
"""Characters of a text that can be a name; the longest known, an image with its digest, has less than half of them."""

Object = Mapping[str, Any]
"""A JSON object; its values may be anything."""


def value_in(content: bytes | Unreadable) -> Any:
    """The value that is the whole content; None when it can't be read or is no JSON."""
    try:
        return None if isinstance(content, Unreadable) else json.loads(content)
    except (ValueError, RecursionError):  # JSON can be nested deeper than Python's stack
        return None


def object_of(value: object) -> Object:
    """`value` if it is an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """`value` if it is a list, or an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: object, longest: int = LONGEST) -> str:
    """`value` if it is a text of so many characters at most, or an empty one: it becomes part of thousands of lines."""
    return value if isinstance(value, str) and len(value) <= longest else ""


def texts_of(value: object) -> dict[str, str]:
    """Those values of an object that are texts and not too long."""
    return {key: text for key, text in object_of(value).items() if isinstance(text, str) and len(text) <= LONGEST}
