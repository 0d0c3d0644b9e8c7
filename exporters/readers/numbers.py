"""Numbers of the kernel's tables that are never negative: decimal, and hexadecimal without `0x` as below /proc/net."""  # noqa: A005 - always imported by its whole name

from collections.abc import Iterable

from exporters.collector import whole

_BEYOND = 1 << 64


def natural(text: str) -> int:
    """A decimal number from 0 on. Raises ValueError for anything else, and for what 64 bits can't hold."""
    value = whole(text)
    if value < 0:
        raise ValueError(f"a negative number: {text}")
    return value


def hexadecimals(words: Iterable[str]) -> list[int]:
    """Hexadecimal numbers from 0 on. Raises ValueError for anything else, and for what 64 bits can't hold."""
    values = [int(word, 16) for word in words]
    if values and not 0 <= min(values) <= max(values) < _BEYOND:
        raise ValueError("a negative number, or one of more than 64 bits")
    return values
