"""Document ids: the same for each delivery of the same line, so that a second delivery is seen as one. Pure.

An id is a hash of the file's instance and the byte where the line begins. An instance that is told by content
(a fingerprint) needs no more. One that is told by inode or path does: both are used again after a rotation,
offsets begin at 0 again, and a new line must never look like an old one. There the line's time joins in.
"""

from functools import lru_cache
from hashlib import blake2b

from log_pipeline.model.position import Position


def line_id(instance: str, offset: int, moment: str = "") -> str:
    """The id of the line at byte `offset` of a file's `instance` (a text that names host and file).

    `moment` is the line's timestamp, to be given when the instance's name may be used again for another file.
    """
    name = f"{instance_hash(instance)}-{offset:x}"
    return f"{name}-{moment}" if moment else name


def record_id(position: Position) -> str:
    """The id of a record that does not say which line it is: its place in its source."""
    return f"{position.partition.source}-{position.partition.name}-{position.offset:x}"


@lru_cache(maxsize=65_536)
def instance_hash(instance: str) -> str:
    """16 hex digits. Kept for the files in use: hashing once a line would cost more than decoding it."""
    return blake2b(instance.encode("utf-8", "replace"), digest_size=8).hexdigest()
