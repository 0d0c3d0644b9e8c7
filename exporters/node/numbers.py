"""Numbers of the kernel's tables that are never negative: decimal, and hexadecimal without `0x` as below /proc/net."""  # noqa: A005 - always imported by its whole name

from exporters.collector import whole

_BEYOND = 1 << 64


def natural(text: str) -> int:
    """A decimal number from 0 on. Raises ValueError for anything else, and for what 64 bits can't hold."""
    value = whole(text)
    if value < 0:
        raise ValueError(f"a negative number: {text}")
    return value


def hexadecimal(text: str) -> int:
    """A hexadecimal number from 0 on. Raises ValueError for anything else, and for what 64 bits can't hold."""
    value = int(text, 16)
    if not 0 <= value < _BEYOND:
        raise ValueError(f"a negative number, or one of more than 64 bits: {text[:40]}")
    return value
