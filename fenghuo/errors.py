"""The error tree of the whole product.

    FenghuoError
    ├── ConfigError          a file or flag is wrong; carries every Problem found, not only the first
    ├── StartError           something outside is not as needed; one line of cause, one of remedy
    ├── StorageError         a database or folder can't be read or written
    └── RemoteError          a server we called
        ├── RemoteTimeout    no answer within the deadline
        ├── RemoteRefused    no connection: refused, reset, name not found
        ├── RemoteTooLarge   the answer is longer than the caller allows
        └── RemoteAnswer     an answer that is not the one hoped for; carries status and body

Expected outcomes are values with a reason and never take this road; an exception is a surprise.
Foreign exceptions are translated where the foreign library is called, and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


class FenghuoError(Exception):
    """The root: catching it catches all that this product raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a configuration.

    `path` is the dotted road to the value (`route.receiver`), `value` what stands there as the user
    wrote it (None when the value is absent or a secret), `expected` what should stand there instead,
    `line` the 1-based line of the file, 0 when unknown. `source` names the file where an error spans several.
    """

    path: str
    expected: str
    value: object = None
    line: int = 0
    source: str = ""

    def text(self, source: str) -> str:
        """Say it in one line, the way a compiler does: `file:line: path: expected …, got …`."""
        file = self.source or source
        where = f"{file}:{self.line}" if self.line else file
        said = self.value is None or repr(self.value) in self.expected
        got = "" if said else f", got {self.value!r}"
        road = f"{self.path}: " if self.path else ""
        return f"{where}: {road}{self.expected}{got}"


class ConfigError(FenghuoError):
    """A configuration that can't be used, with all its problems at once."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.text(source) for problem in self.problems))

    @classmethod
    def joined(cls, errors: Sequence["ConfigError"]) -> "ConfigError":
        """One error for several files, each problem under its own file's name."""
        problems = [
            replace(problem, source=problem.source or error.source) for error in errors for problem in error.problems
        ]
        return cls(errors[0].source, problems)


class StartError(FenghuoError):
    """Something that the program needs is not there: one line of cause and one of remedy."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        self.cause = cause
        self.remedy = remedy
        super().__init__(f"{cause}; {remedy}" if remedy else cause)


class StorageError(FenghuoError):
    """A database or folder can't be read or written; names the path."""


class RemoteError(FenghuoError):
    """A call to another server failed. `url` never holds credentials."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{url}: {reason}")


class RemoteTimeout(RemoteError):
    """No answer within the deadline."""


class RemoteRefused(RemoteError):
    """No connection could be made or kept."""


class RemoteTooLarge(RemoteError):
    """The answer is longer than the caller allows."""


class RemoteAnswer(RemoteError):
    """The server answered, but not what was hoped for."""

    def __init__(self, url: str, status: int, body: str) -> None:
        self.status = status
        self.body = body
        super().__init__(url, f"answered {status}: {body[:200]}")
