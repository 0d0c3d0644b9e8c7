"""YAML files as plain values, with the line of each: for those who check what is in them.

`read_text` reads a file, `parse_yaml` its text; both raise ConfigError and nothing else. What the values mean is
another's business: `fenghuo.config` holds them against classes, and needs more to be installed.
"""

import typing
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from fenghuo.errors import ConfigError, Problem

LONGEST_FILE = 16 << 20
MOST_VALUES = 500_000

YamlPath = tuple[str | int, ...]

# libyaml reads ten times faster; a wheel without it still works
_Composer = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _AsWritten(yaml.constructor.SafeConstructor):
    """Every scalar stays the text it is written as, so that 1.10 and `on` and 12:30 keep their meaning."""

    yaml_constructors: typing.ClassVar[dict[Any, Any]] = {"tag:yaml.org,2002:null": lambda _, __: None}


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
