"""Secrets come from a file or from the environment and never show themselves.

In a configuration a secret `token` is written in one of three ways:

    token_file: /run/secrets/token       read at start and again at each reload
    token: ${env:CHAT_TOKEN}             from the environment
    token: literally                     allowed, because Alertmanager's files do it

`${env:NAME}` is expanded in secrets only: anywhere else it is plain text, so that a rule or a template
can't reach into the environment.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ENV = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_LONGEST = 1 << 20


class Secret:
    """A text that prints as `<secret>`; `reveal()` is the only way to its content."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The content; call it where the secret is used and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let configuration classes have fields of this type: a text comes in, a Secret is kept."""
        from pydantic_core import core_schema

        def build(value: object) -> "Secret":
            if isinstance(value, cls):
                return value
            if not isinstance(value, str):
                raise ValueError("expected a text")
            return cls(expand_environment(value, os.environ))

        return core_schema.no_info_plain_validator_function(build, serialization=core_schema.to_string_ser_schema())


def expand_environment(text: str, environment: Mapping[str, str]) -> str:
    """Replace each `${env:NAME}`. Raises ValueError naming the variable that is not set."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            raise ValueError(f"expected the environment variable {name} to be set")
        return environment[name]

    return _ENV.sub(value, text)


def read_secret(path: Path) -> Secret:
    """The content of a secret's file without the line end at its end.

    Raises ValueError naming the file when it can't be read, is empty or longer than 1 MiB.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"expected a readable secret file, {path}: {error}") from error
    if not text.strip() or len(text) > _LONGEST:
        raise ValueError(f"expected a secret file of 1 byte to 1 MiB, {path} has {len(text)}")
    return Secret(text.rstrip("\r\n"))
