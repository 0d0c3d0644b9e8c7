"""Lines of `key number …`, as /proc/net/rpc and the counters of NFS mounts have them: pure.

Format: net/sunrpc/stats.c and fs/nfsd/stats.c of the kernel.
"""

from collections.abc import Collection, Iterable, Mapping

from exporters.collector import Malformed

_BEYOND = 1 << 64


def methods(names: str) -> list[str]:
    """The names of procedures as their place in a line has them, from one text."""
    return names.split()


def naturals(words: Iterable[str]) -> list[int]:
    """Numbers from 0 on. Raises ValueError for anything else, and for what 64 bits can't hold."""
    numbers = list(map(int, words))
    if numbers and (min(numbers) < 0 or max(numbers) >= _BEYOND):
        raise ValueError("a negative number, or one of more than 64 bits")
    return numbers


def parse(text: str, path: str, least: Mapping[str, int], counted: Collection[str] = ()) -> dict[str, list[int]]:
    """The numbers of each known line by its key; a line that the kernel leaves out has as many zeros.

    `least` are the known keys and how many numbers each has at least. Lines whose key is in `counted` begin with how
    many numbers follow, which is left out. Fractions end a line: kernels before 2.6.30 (and zeros since) have a
    histogram there. Raises Malformed naming `path` and the line.
    """
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key, *words = line.split() or [""]
        if key not in least:
            continue  # a newer kernel's
        try:
            numbers = naturals(words[: least[key]] if "." in line else words)
        except ValueError as error:
            raise Malformed(path, number, f"numbers after {key}", line) from error
        if key in counted:
            count, numbers = (numbers[0], numbers[1:]) if numbers else (-1, [])
            if count != len(numbers):
                raise Malformed(path, number, f"as many numbers as the first one after {key} says", line)
        if len(numbers) < least[key]:
            raise Malformed(path, number, f"{least[key]} numbers after {key}", line)
        found[key] = numbers
    if not found:
        raise Malformed(path, 1 if text else 0, f"lines that begin with {', '.join(least)}", text[:40])
    return {key: found.get(key) or [0] * count for key, count in least.items()}
