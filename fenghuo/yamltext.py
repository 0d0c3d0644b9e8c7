"""YAML files as plain values, with the line of each: for those who check what is in them.

`read_text` reads a file, `parse_yaml` its text; both raise ConfigError and nothing else. What the values mean is
another's business: `fenghuo.config` holds them against classes, and needs more to be installed.
"""

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fenghuo.errors import ConfigError, Problem

LONGEST_FILE = 16 << 20
MOST_VALUES = 500_000
DEEPEST = 100
"""Collections inside one another; libyaml builds values by recursion in C, and some thousand would end the process."""

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
        _check_size(text)
        node = yaml.compose(text, Loader=_Composer)
        if node is None:
            return None, {}
        walk = _Walk()
        walk.visit(node, (), set())
        if walk.doubled:
            raise ConfigError(source, walk.doubled)
        constructor = _AsWritten() if as_written else yaml.constructor.SafeConstructor()
        return constructor.construct_document(node), walk.lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        problem = Problem("", f"expected valid YAML ({what})", line=mark.line + 1 if mark else 0)
        raise ConfigError(source, [problem]) from error
    except (RecursionError, ValueError) as error:
        raise ConfigError(source, [Problem("", f"expected valid YAML ({error})")]) from error


def _check_size(text: str) -> None:
    """Raise a YAMLError for what is too deep or too much, before any of it is built."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Composer)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _too_much(f"more than {DEEPEST} collections inside one another", event)
        if number > 3 * MOST_VALUES:  # a collection has a start and an end, a value of a mapping has a key
            raise _too_much(f"more than {MOST_VALUES} values", event)


def _too_much(what: str, event: Any) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=event.start_mark)


class _Walk:
    """Notes the line of each path, and keys that stand twice."""

    def __init__(self) -> None:
        self.lines: dict[YamlPath, int] = {}
        self.doubled: list[Problem] = []
        self._visits = 0

    def visit(self, node: yaml.Node, path: YamlPath, above: set[int]) -> None:
        """Walk down from a node; `above` stops at one that contains itself through an alias."""
        if id(node) in above:
            raise ValueError("an alias that contains itself")
        self._visits += 1  # more than there are lines: paths of doubled keys are the same
        if self._visits > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values, aliases counted")
        self.lines[path] = node.start_mark.line + 1
        inside = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.visit(item, (*path, index), inside)
        if isinstance(node, yaml.MappingNode):
            self._visit_mapping(node, path, inside)

    def _visit_mapping(self, node: yaml.MappingNode, path: YamlPath, inside: set[int]) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen and name != "<<":
                self.doubled.append(
                    Problem(dotted((*path, name)), "expected each key once, it stands here again", line=line)
                )
            seen.add(name)
            self.visit(value, (*path, name), inside)
            self.lines[(*path, name)] = line


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
