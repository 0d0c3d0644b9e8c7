"""Basic authentication (RFC 7617) against bcrypt hashes.

A check takes bcrypt's time by design, so its outcome is kept, under a key that only this process can compute: no
password stays in memory. Outcomes that let someone in are kept apart, so that strangers who guess do not push them
out. A name that is not known costs what a known one costs.
"""

import binascii
import hmac
import os
import threading
from collections.abc import Mapping

import bcrypt

from fenghuo.secrets import Secret

KEPT = 100
"""Outcomes of each kind that are kept at most."""

_LONGEST_PASSWORD = 72
"""Bytes that bcrypt looks at; what comes after them never counted."""


class Outcomes:
    """What passed, or failed, most lately; thread-safe."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._keys: dict[bytes, None] = {}
        self._lock = threading.Lock()

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: bytes) -> None:
        """Keep one more, and forget the oldest when there are too many."""
        with self._lock:
            self._keys[key] = None
            if len(self._keys) > self._most:
                del self._keys[next(iter(self._keys))]


class BasicAuth:
    """Decides who is let in; the users are given anew each time, since the file of them may change."""

    def __init__(self) -> None:
        self._salt = os.urandom(32)
        self._passed = Outcomes()
        self._failed = Outcomes()
        self._one_at_a_time = threading.Lock()

    def admits(self, users: Mapping[str, Secret], authorization: str) -> bool:
        """Whether an `Authorization` header has a user's name and password."""
        given = credentials(authorization)
        if given is None or not users:
            return False
        name, password = given
        known = name in users
        hashed = users[name if known else self._stand_in(users, name)].reveal()
        key = self._key(name, hashed, password)
        if key in self._passed:
            return True
        if key in self._failed:
            return False
        with self._one_at_a_time:  # guessing may take one processor, and no more
            passed = _matches(password, hashed) and known
        (self._passed if passed else self._failed).add(key)
        return passed

    def _stand_in(self, users: Mapping[str, Secret], name: str) -> str:
        """The user whose hash an unknown name is checked against, always the same, so that it takes as long."""
        names = sorted(users)
        return names[int.from_bytes(self._key(name, "", b"")[:8], "big") % len(names)]

    def _key(self, name: str, hashed: str, password: bytes) -> bytes:
        parts = (name.encode("utf-8", "surrogateescape"), hashed.encode(), password)
        return hmac.digest(self._salt, b"".join(len(part).to_bytes(4, "big") + part for part in parts), "sha256")


def credentials(authorization: str) -> tuple[str, bytes] | None:
    """Name and password of an `Authorization: Basic …` header; None for anything else."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = binascii.a2b_base64(encoded.strip(), strict_mode=True).partition(b":")
    except ValueError:
        return None
    return (name.decode("utf-8", "surrogateescape"), password) if colon else None


def _matches(password: bytes, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password[:_LONGEST_PASSWORD], hashed.encode())
    except ValueError:
        return False  # a password that bcrypt does not take is nobody's
