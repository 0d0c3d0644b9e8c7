"""One mapping of a YAML file, taken apart key by key: each mistake is noted with its line, and all are told at once.

Every scalar comes as the text that stands in the file. What stands there is repeated in a problem only where it is
no secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fenghuo.errors import Problem
from fenghuo.yamltext import YamlPath, dotted, nearest_line

ChoiceT = TypeVar("ChoiceT")

SWITCH = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
"""What YAML 1.1 takes for a boolean."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The lines of a file, and the problems found in it so far."""

    lines: Mapping[YamlPath, int]
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: YamlPath, expected: str, value: object = None) -> None:
        """Note a problem; `value` is what stands there, None where that is a secret or nothing."""
        self.problems.append(Problem(dotted(path), expected, value, nearest_line(self.lines, path)))


class Section:
    """A mapping whose keys are asked for by name; `close` notes those that nobody asked for."""

    def __init__(self, findings: Findings, value: object, path: YamlPath = ()) -> None:
        self._findings = findings
        self._path = path
        self._left: dict[str, Any] = {}
        if isinstance(value, Mapping):
            if None in value:
                findings.add(path, "expected every key to be a text, the word null in quotes")
            self._left.update({str(key): item for key, item in value.items() if key is not None})
        elif value is not None:
            findings.add(path, "expected a mapping of keys to values")
        self.empty = not self._left

    def __contains__(self, key: str) -> bool:
        return bool(self._left.get(key))

    def wrong(self, key: str, expected: str, value: object = None) -> None:
        """Note a problem at a key; an empty key stands for the section itself."""
        self._findings.add((*self._path, key) if key else self._path, expected, value)

    def section(self, key: str) -> "Section":
        """A mapping inside; an absent one is empty."""
        return Section(self._findings, self._left.pop(key, None), (*self._path, key))

    def texts(self) -> dict[str, str]:
        """All that is left, as names and texts."""
        names = list(self._left)
        return {name: self.text(name) for name in names}

    def text(self, key: str, default: str = "") -> str:
        """A text; the default when the key is absent or has no value."""
        value = self._left.pop(key, None)
        if value is None:
            return default
        if not isinstance(value, str):
            self.wrong(key, "expected one value")
            return default
        return value

    def choice(self, key: str, choices: Mapping[str, ChoiceT], default: ChoiceT) -> ChoiceT:
        """One of a few words, as what it stands for."""
        word = self.text(key)
        if word and word not in choices:
            self.wrong(key, f"expected one of {', '.join(choices)}", word)
        return choices.get(word, default)

    def switch(self, key: str, *, default: bool) -> bool:
        """A boolean."""
        word = self.text(key)
        if word and word.lower() not in SWITCH:
            self.wrong(key, "expected true or false", word)
        return SWITCH.get(word.lower(), default)

    def list_of_texts(self, key: str, choices: Mapping[str, str] | None = None) -> list[str]:
        """A list of texts; with `choices`, what each of them stands for."""
        value = self._left.pop(key, None)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.wrong(key, "expected a list of texts")
            return []
        for index, item in enumerate(value):
            if choices is not None and item not in choices:
                self._findings.add((*self._path, key, index), f"expected one of {', '.join(choices)}", item)
        return value if choices is None else [choices[item] for item in value if item in choices]

    def close(self) -> None:
        """Note the keys that nobody asked for."""
        for key in self._left:
            self.wrong(key, "unknown key, expected none of this name")
