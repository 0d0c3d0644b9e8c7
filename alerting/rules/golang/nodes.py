"""The tree that the parser makes and the interpreter walks."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """`"text"`, `1`, `1.5`, `true`, `nil`."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Dot:
    """`.` or `.a.b`: the current value, or a field of it."""

    path: Path = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x` or `$x.a.b`."""

    name: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A name that is called; the operands behind it in the same command are its arguments."""

    name: str


@dataclass(frozen=True, slots=True)
class Parentheses:
    """`(pipeline)` or `(pipeline).a.b`."""

    pipe: "Pipe"
    path: Path = ()


Operand: TypeAlias = Constant | Dot | Variable | Function | Parentheses


@dataclass(frozen=True, slots=True)
class Pipe:
    """`a b | c d`: each command is a list of operands; its result is the last argument of the next.

    `variables` are set to the result; `declares` tells `:=` from `=`.
    """

    commands: tuple[tuple[Operand, ...], ...]
    variables: tuple[str, ...] = ()
    declares: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Text between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ pipeline }}`."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`{{ if|with|range pipeline }} body {{ else }} otherwise {{ end }}`."""

    keyword: Literal["if", "with", "range"]
    pipe: Pipe
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...] = ()


Node: TypeAlias = Text | Output | Branch
