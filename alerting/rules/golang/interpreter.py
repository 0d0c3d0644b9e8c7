"""Walks a tree with the data of one alert. Semantics: text/template/exec.go of Go, with `missingkey=zero`."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from alerting.rules.golang.functions import FUNCTIONS, LAZY, QUERY, truth
from alerting.rules.golang.nodes import (
    Branch,
    Constant,
    Dot,
    Function,
    Node,
    Operand,
    Output,
    Path,
    Pipe,
    Text,
    Variable,
)
from alerting.rules.golang.printing import go_text

_SIGNATURES = {name: inspect.signature(function) for name, function in FUNCTIONS.items()}
LONGEST = 1 << 20
"""Characters that one template may write, or a function may return."""

MOST_STEPS = 100_000
"""Nodes that one template may walk: loops in loops over a long answer must not stop the engine."""


class TemplateError(ValueError):
    """A template that could not be filled in."""


class Struct(dict[str, Any]):
    """Data with fixed fields: asking for another one is an error, where a map of labels answers ""."""


Query = Callable[[str], Sequence[Struct]]
"""What `query` calls: an expression to samples, each with `Labels` and `Value`. Raises TemplateError."""


def render(nodes: Sequence[Node], data: Struct, variables: Mapping[str, object], query: Query) -> str:
    """The text of a template. Raises TemplateError and nothing else."""
    walk = _Walk({**variables, "$": data}, query)
    try:
        walk.nodes(nodes, data)
    except TemplateError:
        raise
    except Exception as error:  # no template may keep its alert from firing
        raise TemplateError(str(error) or type(error).__name__) from error
    # half of a surrogate pair is no text that could be stored or sent
    return "".join(walk.written).encode("utf-8", "replace").decode()


class _Walk:
    def __init__(self, variables: dict[str, object], query: Query) -> None:
        self._query = query
        self.written: list[str] = []
        self._left = LONGEST
        self._steps = MOST_STEPS
        self._scopes = [variables]

    def nodes(self, nodes: Iterable[Node], dot: object) -> None:
        for node in nodes:
            self._step()
            if isinstance(node, Text):
                self._write(node.text)
            elif isinstance(node, Output):
                value = self._pipe(node.pipe, dot)
                if not node.pipe.variables:
                    self._write(go_text(value, "<no value>"))
            else:
                self._branch(node, dot)

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise TemplateError(f"the template takes more than {MOST_STEPS} steps")

    def _write(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise TemplateError(f"the text is longer than {LONGEST} characters")
        self.written.append(text)

    def _branch(self, node: Branch, dot: object) -> None:
        self._scopes.append({})
        if node.keyword == "range":
            self._range(node, dot)
        else:
            value = self._pipe(node.pipe, dot)
            if truth(value):
                self.nodes(node.body, value if node.keyword == "with" else dot)
            else:
                self.nodes(node.otherwise, dot)
        self._scopes.pop()

    def _range(self, node: Branch, dot: object) -> None:
        pairs = _pairs(self._commands(node.pipe, dot))
        for key, value in pairs:
            self._step()
            self._scopes.append({})
            names = node.pipe.variables
            for name, item in zip(names, (key, value) if len(names) == 2 else (value,), strict=False):
                self._set(name, item, node.pipe.declares)
            self.nodes(node.body, value)
            self._scopes.pop()
        if not pairs:
            self._scopes.append(dict.fromkeys(node.pipe.variables))
            self.nodes(node.otherwise, dot)
            self._scopes.pop()

    def _pipe(self, pipe: Pipe, dot: object) -> object:
        value = self._commands(pipe, dot)
        for name in pipe.variables:
            self._set(name, value, pipe.declares)
        return value

    def _commands(self, pipe: Pipe, dot: object) -> object:
        piped: tuple[object, ...] = ()
        for command in pipe.commands:
            piped = (self._command(command, dot, piped),)
        return piped[0]

    def _set(self, name: str, value: object, declares: bool) -> None:
        scope = self._scopes[-1]
        if not declares:
            scope = next((known for known in reversed(self._scopes) if name in known), scope)
        scope[name] = value

    def _command(self, operands: tuple[Operand, ...], dot: object, piped: tuple[object, ...]) -> object:
        first = operands[0]
        if not isinstance(first, Function):
            if piped:
                raise TemplateError("can't give an argument to something that is no function")
            return self._value(first, dot)
        if first.name in LAZY:
            return self._lazy(first.name, operands[1:], dot, piped)
        arguments = [self._value(operand, dot) for operand in operands[1:]]
        return self._call(first.name, [*arguments, *piped])

    def _lazy(self, name: str, operands: tuple[Operand, ...], dot: object, piped: tuple[object, ...]) -> object:
        """`and` and `or` stop at the first value that decides, which is also the result."""
        value: object = None
        for operand in operands:
            value = self._value(operand, dot)
            if truth(value) == (name == "or"):
                return value
        if not operands and not piped:
            raise TemplateError(f"wrong number of arguments for {name}")
        return piped[0] if piped else value

    def _value(self, operand: Operand, dot: object) -> object:
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Dot):
            return _at(dot, operand.path)
        if isinstance(operand, Variable):
            return _at(self._variable(operand.name), operand.path)
        if isinstance(operand, Function):
            return self._call(operand.name, [])
        return _at(self._pipe(operand.pipe, dot), operand.path)

    def _call(self, name: str, arguments: list[object]) -> object:
        if name != QUERY:
            return _call(name, arguments)
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            raise TemplateError("expected one text as the argument of query")
        return self._query(arguments[0])

    def _variable(self, name: str) -> object:
        return next(scope[name] for scope in reversed(self._scopes) if name in scope)


def _call(name: str, arguments: list[object]) -> object:
    if name not in FUNCTIONS:
        raise TemplateError(f"{name} needs arguments")
    try:
        _SIGNATURES[name].bind(*arguments)
    except TypeError as error:
        raise TemplateError(f"wrong number of arguments for {name}: {len(arguments)}") from error
    try:
        value = FUNCTIONS[name](*arguments)
    except (ValueError, TypeError, ArithmeticError, re.error) as error:
        raise TemplateError(f"error calling {name}: {error}") from error
    if isinstance(value, str) and len(value) > LONGEST:
        raise TemplateError(f"error calling {name}: the text is longer than {LONGEST} characters")
    return value


def _at(value: object, path: Path) -> object:
    for name in path:
        if isinstance(value, Struct):
            if name not in value:
                raise TemplateError(f"can't evaluate field {name}, expected one of {', '.join(value)}")
            value = value[name]
        elif isinstance(value, Mapping):
            value = value.get(name, "")
        else:
            raise TemplateError(f"can't evaluate field {name} in {go_text(value)}")
    return value


def _pairs(value: object) -> list[tuple[object, object]]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(key, value[key]) for key in sorted(value)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(enumerate(value))
    raise TemplateError(f"range can't iterate over {go_text(value)}")
