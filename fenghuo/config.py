"""Configuration files: YAML into frozen, typed values, every mistake at once with its line.

A configuration class derives from `Config`; an unknown key is refused; a `Secret` field `x` may be given
as `x_file`. `load_config` reads a file, `parse_config` a text: both raise ConfigError and nothing else.
"""

import types
import typing
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from fenghuo.durations import parse_duration
from fenghuo.errors import ConfigError, Problem
from fenghuo.secrets import Secret, read_secret

LONGEST_FILE = 16 << 20
MOST_VALUES = 500_000

Seconds = Annotated[
    float,
    BeforeValidator(lambda value: parse_duration(value) if isinstance(value, str) else value),
    Field(allow_inf_nan=False),
]
"""A field in seconds that is written as a Prometheus duration (`30s`) or as a number of seconds."""

YamlPath = tuple[str | int, ...]

# libyaml reads ten times faster; a wheel without it still works
_Composer = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _AsWritten(yaml.constructor.SafeConstructor):
    """Every scalar stays the text it is written as, so that 1.10 and `on` and 12:30 keep their meaning."""

    yaml_constructors: typing.ClassVar[dict[Any, Any]] = {"tag:yaml.org,2002:null": lambda _, __: None}


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


def read_text(path: Path) -> str:
    """The text of a configuration file. Raises ConfigError when it can't be read or is too large."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [Problem("", f"expected a readable UTF-8 file ({error})")]) from error
    if len(text) > LONGEST_FILE:
        raise ConfigError(str(path), [Problem("", f"expected at most {LONGEST_FILE} characters")])
    return text


def parse_config(text: str, kind: type[ConfigT], source: str) -> ConfigT:
    """Read YAML `text` as a `kind`; `source` names it in errors. Raises ConfigError."""
    return validate(*parse_yaml(text, source), kind, source)


def validate(data: Any, lines: Mapping[YamlPath, int], kind: type[ConfigT], source: str) -> ConfigT:
    """What `parse_yaml` gave as a `kind`. Raises ConfigError."""
    try:
        return kind.model_validate({} if data is None else data)
    except ValidationError as error:
        raise ConfigError(source, [_problem(item, lines, data) for item in error.errors()]) from error


def parse_yaml(text: str, source: str, *, as_written: bool = False) -> tuple[Any, dict[YamlPath, int]]:
    """YAML text to plain values, and the 1-based line of each path in it.

    With `as_written` every scalar is a text (or None), for formats whose own reader decides what it means.

    Raises ConfigError for bad YAML, and for a key that stands twice in one mapping (YAML would silently
    keep the last).
    """
    try:
        node = yaml.compose(text, Loader=_Composer)
        if node is None:
            return None, {}
        lines: dict[YamlPath, int] = {}
        doubled: list[Problem] = []
        _walk(node, (), lines, doubled, set())
        if doubled:
            raise ConfigError(source, doubled)
        constructor = _AsWritten() if as_written else yaml.constructor.SafeConstructor()
        return constructor.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        problem = Problem("", f"expected valid YAML ({what})", line=mark.line + 1 if mark else 0)
        raise ConfigError(source, [problem]) from error
    except (RecursionError, ValueError) as error:
        raise ConfigError(source, [Problem("", f"expected valid YAML ({error})")]) from error


def _walk(node: yaml.Node, path: YamlPath, lines: dict[YamlPath, int], doubled: list[Problem], above: set[int]) -> None:
    """Note the line of each path; `above` stops at a node that contains itself through an alias."""
    if id(node) in above:
        raise ValueError("an alias that contains itself")
    if len(lines) > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values, aliases counted")
    lines[path] = node.start_mark.line + 1
    inside = above | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*path, index), lines, doubled, inside)
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen and name != "<<":
                doubled.append(
                    Problem(dotted((*path, name)), "expected each key once, it stands here again", line=line)
                )
            seen.add(name)
            _walk(value, (*path, name), lines, doubled, inside)
            lines[(*path, name)] = line


def dotted(path: YamlPath) -> str:
    """`("route", "routes", 0, "receiver")` as `route.routes[0].receiver`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest_line(lines: Mapping[YamlPath, int], path: YamlPath) -> int:
    """The line of the path, or of the nearest parent that the file has; 0 when there is none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


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
