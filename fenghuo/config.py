"""Configuration files: YAML into frozen, typed values, every mistake at once with its line.

A configuration class derives from `Config`; an unknown key is refused; a `Secret` field `x` may be given
as `x_file`. `load_config` reads a file, `parse_config` a text: both raise ConfigError and nothing else.
"""

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from fenghuo.durations import parse_duration
from fenghuo.errors import ConfigError, Problem
from fenghuo.secrets import Secret, read_secret
from fenghuo.yamltext import YamlPath, dotted, nearest_line, parse_yaml, read_text

Seconds = Annotated[
    float,
    BeforeValidator(lambda value: parse_duration(value) if isinstance(value, str) else value),
    Field(allow_inf_nan=False),
]
"""A field in seconds that is written as a Prometheus duration (`30s`) or as a number of seconds."""


class Config(BaseModel):
    """The base of all configuration classes: frozen, unknown keys refused, secrets from `*_file`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = dict(data)
        for name, field in cls.model_fields.items():
            source = given.pop(f"{name}_file", None) if _is_secret(field.annotation) else None
            if source is None:
                continue
            if name in given:
                raise ValueError(f"expected one of {name} and {name}_file, not both")
            given[name] = read_secret(Path(str(source)))
        return given


ConfigT = TypeVar("ConfigT", bound=Config)


def load_config(path: Path, kind: type[ConfigT]) -> ConfigT:
    """Read `path` as a `kind`. Raises ConfigError with every problem of the file."""
    return parse_config(read_text(path), kind, str(path))


def parse_config(text: str, kind: type[ConfigT], source: str) -> ConfigT:
    """Read YAML `text` as a `kind`; `source` names it in errors. Raises ConfigError."""
    return validate(*parse_yaml(text, source), kind, source)


def validate(data: Any, lines: Mapping[YamlPath, int], kind: type[ConfigT], source: str) -> ConfigT:
    """What `parse_yaml` gave as a `kind`. Raises ConfigError."""
    try:
        return kind.model_validate({} if data is None else data)
    except ValidationError as error:
        raise ConfigError(source, [_problem(item, lines, data) for item in error.errors()]) from error


def _problem(item: Any, lines: Mapping[YamlPath, int], data: Any) -> Problem:
    """One pydantic error in our own words. The value is shown only where it can't be a secret."""
    path = _known_path(tuple(item["loc"]), data)
    value = _value_at(data, path)
    shown = None if isinstance(value, dict | list) or _smells_secret(path) else value
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        message, shown = "unknown key, expected none of this name", None
    if item["type"] == "missing":
        message = "expected a value, the key is missing"
    if not message.startswith(("expected", "unknown")):
        message = f"expected otherwise: {message}"
    return Problem(dotted(path), message, shown, nearest_line(lines, path))


def _known_path(path: YamlPath, data: Any) -> YamlPath:
    """Leave out the parts that pydantic adds for unions and validators and that no file has."""
    known: list[str | int] = []
    for position, part in enumerate(path):
        inside = (isinstance(data, Mapping) and part in data) or (isinstance(data, list) and isinstance(part, int))
        if inside or (position == len(path) - 1 and isinstance(data, Mapping | None)):
            known.append(part)
            data = data[part] if inside and not (isinstance(data, list) and int(part) >= len(data)) else None
    return tuple(known)


def _value_at(data: Any, path: YamlPath) -> object:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data if isinstance(data, str | int | float | bool | dict | list) else None


def _smells_secret(path: YamlPath) -> bool:
    last = str(path[-1]).lower() if path else ""
    return any(word in last for word in ("secret", "token", "password", "key", "credential", "url"))


def _is_secret(annotation: object) -> bool:
    if annotation is Secret:
        return True
    origin = typing.get_origin(annotation)
    return origin in (typing.Union, types.UnionType) and Secret in typing.get_args(annotation)
