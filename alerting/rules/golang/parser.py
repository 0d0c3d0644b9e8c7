"""From tokens to a tree. Unknown functions and variables are refused here, not when an alert fires.

Grammar: text/template/parse/parse.go of Go.
"""

import ast
from collections.abc import Collection
from typing import Literal, cast

from alerting.rules.golang.lexer import TemplateSyntaxError, Token, tokens
from alerting.rules.golang.nodes import (
    Branch,
    Constant,
    Dot,
    Function,
    Node,
    Operand,
    Output,
    Parentheses,
    Path,
    Pipe,
    Text,
    Variable,
)

_CONSTANTS = {"true": True, "false": False, "nil": None}
_REFUSED = {"define", "template", "block", "break", "continue"}
_DEEPEST = 50


def parse(text: str, functions: Collection[str], variables: Collection[str]) -> tuple[Node, ...]:
    """The tree of a template. Raises TemplateSyntaxError naming line and cause."""
    parser = _Parser(list(tokens(text)), functions, variables)
    nodes, end = parser.nodes()
    if end:
        raise TemplateSyntaxError(f"unexpected {{{{ {end} }}}}, no if, with or range is open")
    return nodes


class _Parser:
    def __init__(self, tokens: list[Token], functions: Collection[str], variables: Collection[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._functions = functions
        self._variables = [*variables, "$"]
        self._depth = 0

    def nodes(self) -> tuple[tuple[Node, ...], str]:
        """Nodes up to an `end` or `else`, which is consumed up to its keyword and named in the result."""
        found: list[Node] = []
        while (token := self._next()) is not None:
            if token.kind == "text":
                found.append(Text(token.text))
                continue
            word = self._peek()
            if word is None or word.kind != "word":
                found.append(Output(self._pipe("close")))
            elif word.text in ("end", "else"):
                self._next()
                if word.text == "end":
                    self._expect_close()
                return tuple(found), word.text
            elif word.text in ("if", "with", "range"):
                self._next()
                found.append(self._branch(word))
            elif word.text in _REFUSED:
                raise self._error(word, f"{word.text} is not supported here")
            else:
                found.append(Output(self._pipe("close")))
        return tuple(found), ""

    def _branch(self, word: Token) -> Branch:
        keyword = cast("Literal['if', 'with', 'range']", word.text)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(word, f"nested more than {_DEEPEST} deep")
        known = len(self._variables)
        pipe = self._pipe("close", ranging=keyword == "range")
        body, end = self.nodes()
        otherwise: tuple[Node, ...] = ()
        if end == "else":
            otherwise = self._else(word)
        elif end != "end":
            raise self._error(word, f"{keyword} without {{{{ end }}}}")
        del self._variables[known:]
        self._depth -= 1
        return Branch(keyword, pipe, body, otherwise)

    def _else(self, opened: Token) -> tuple[Node, ...]:
        """What follows `{{ else`: `}}`, or another `if` or `with` that shares the one `{{ end }}`."""
        following = self._peek()
        if following is not None and following.text in ("if", "with") and following.kind == "word":
            self._next()
            return (self._branch(following),)
        self._expect_close()
        nodes, end = self.nodes()
        if end != "end":
            raise self._error(opened, f"{opened.text} without {{{{ end }}}}")
        return nodes

    def _pipe(self, closing: str, *, ranging: bool = False) -> Pipe:
        variables, declares = self._declaration(ranging)
        commands: list[tuple[Operand, ...]] = []
        while True:
            commands.append(self._command())
            token = self._next()
            if token is not None and closing in (token.kind, token.text):
                break
            if token is None or token.text != "|":
                raise self._error(token, "expected | or the end of the action")
        if declares:
            self._variables += variables
        return Pipe(tuple(commands), variables, declares)

    def _declaration(self, ranging: bool) -> tuple[tuple[str, ...], bool]:
        """`$x :=`, `$x =`, and `$i, $x :=` in a range; nothing when the pipeline starts otherwise."""
        ahead = self._tokens[self._at : self._at + 4]
        texts = [token.text for token in ahead]
        if ranging and len(ahead) == 4 and texts[1] == "," and texts[3] in (":=", "="):
            names, operator = texts[0:3:2], texts[3]
        elif len(ahead) > 1 and ahead[0].kind == "variable" and texts[1] in (":=", "="):
            names, operator = texts[:1], texts[1]
        else:
            return (), False
        if any(not name.startswith("$") or name == "$" for name in names):
            raise self._error(ahead[0], f"expected variables before {operator}")
        self._at += 2 * len(names)
        if operator == "=":
            for token in ahead[: 2 * len(names) : 2]:
                self._known(token)
        return tuple(names), operator == ":="

    def _command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while True:
            token = self._peek()
            if token is None:
                raise self._error(None, "unclosed action, expected }}")
            if token.kind == "close" or token.text in ("|", ")"):
                break
            if operands and token.glued and token.kind != "operator":
                raise self._error(token, "expected a space between operands")
            self._next()
            operands.append(self._operand(token))
        if not operands:
            raise self._error(self._peek(), "missing value")
        first = operands[0]
        if len(operands) > 1 and not isinstance(first, Function):
            raise self._error(self._peek(), "can't give arguments to something that is no function")
        return tuple(operands)

    def _operand(self, token: Token) -> Operand:
        operand: Operand
        match token.kind:
            case "variable":
                operand = Variable(self._known(token), self._path())
            case "field":
                operand = Dot((token.text[1:], *self._path()))
            case "dot":
                operand = Dot()
            case "number" | "string" | "char":
                operand = Constant(_constant(token))
            case "word":
                operand = self._word(token)
            case "operator" if token.text == "(":
                operand = Parentheses(self._nested(token), self._path())
            case _:
                raise self._error(token, f"unexpected {token.text!r}")
        return operand

    def _word(self, token: Token) -> Constant | Function:
        if token.text in _CONSTANTS:
            return Constant(_CONSTANTS[token.text])
        if token.text not in self._functions:
            raise self._error(token, f"unknown function {token.text}")
        return Function(token.text)

    def _nested(self, token: Token) -> Pipe:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(token, f"nested more than {_DEEPEST} deep")
        pipe = self._pipe(")")
        self._depth -= 1
        return pipe

    def _path(self) -> Path:
        path: list[str] = []
        while (token := self._peek()) is not None and token.kind == "field" and token.glued:
            path.append(token.text[1:])
            self._next()
        return tuple(path)

    def _known(self, token: Token) -> str:
        if token.text not in self._variables:
            raise self._error(token, f"undefined variable {token.text}")
        return token.text

    def _expect_close(self) -> None:
        token = self._next()
        if token is None or token.kind != "close":
            raise self._error(token, "expected }}")

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token | None:
        token = self._peek()
        self._at += 1
        return token

    def _error(self, token: Token | None, cause: str) -> TemplateSyntaxError:
        line = token.line if token else self._tokens[-1].line if self._tokens else 1
        return TemplateSyntaxError(f"line {line}: {cause}")


def _constant(token: Token) -> str | int | float:
    text = token.text
    if token.kind == "number":
        digits = text.replace("_", "").lower()
        if "x" in digits:
            return int(digits, 16)
        return float(digits) if any(char in digits for char in ".e") else int(digits)
    if text.startswith("`"):
        return text[1:-1]
    try:
        value = str(ast.literal_eval(text))
    except (SyntaxError, ValueError) as error:
        raise TemplateSyntaxError(f"line {token.line}: bad constant {text}") from error
    return ord(value) if token.kind == "char" else value
