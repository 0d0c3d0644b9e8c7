"""The route tree: from an alert's labels to the routes that want it. Pure.

`RouteConfig` is `route:` of the configuration, written as Alertmanager writes it; `build_tree` resolves all
inheritance once, so that matching never looks at a parent. Semantics: dispatch/route.go of Alertmanager:
depth first, left to right, the first matching child wins unless it says `continue`, and a node is itself the
answer when none of its children match.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from alerting.model.labels import Labels, Matcher, parse_matchers
from fenghuo.config import Config, Seconds
from fenghuo.errors import Problem

ALL_LABELS = "..."
"""The one entry of `group_by` that means: every label, so every alert is its own group."""

GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL = 30.0, 300.0, 14_400.0


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("expected a duration longer than 0")
    return seconds


def _not_negative(seconds: float) -> float:
    if seconds < 0:
        raise ValueError("expected a duration of 0 or more")
    return seconds


_Positive = Annotated[Seconds, AfterValidator(_positive)]
_NotNegative = Annotated[Seconds, AfterValidator(_not_negative)]


class RouteConfig(Config):
    """A node of `route:` with Alertmanager's keys; what is None is inherited from the parent."""

    receiver: str | None = None
    group_by: tuple[str, ...] = ()
    matchers: tuple[str, ...] = ()
    match: dict[str, str] = Field(default_factory=dict)
    match_re: dict[str, str] = Field(default_factory=dict)
    go_on: bool = Field(default=False, alias="continue")
    group_wait: _NotNegative | None = None
    group_interval: _Positive | None = None
    repeat_interval: _Positive | None = None
    routes: tuple["RouteConfig", ...] = ()

    @field_validator("group_by")
    @classmethod
    def _group_by_is_a_set(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("expected each label once in group_by")
        if ALL_LABELS in names and len(names) > 1:
            raise ValueError(f"expected {ALL_LABELS!r} to stand alone in group_by")
        if "" in names:
            raise ValueError("expected label names in group_by")
        return names

    @field_validator("matchers")
    @classmethod
    def _matchers_parse(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            parse_matchers(text)
        return texts

    @field_validator("match_re")
    @classmethod
    def _patterns_compile(cls, patterns: dict[str, str]) -> dict[str, str]:
        for name, pattern in patterns.items():
            Matcher(name, "=~", pattern)
        return patterns

    def all_matchers(self) -> tuple[Matcher, ...]:
        """The matchers of all three spellings, in Alertmanager's order: by name, then value."""
        given = [
            *(Matcher(name, "=", value) for name, value in self.match.items()),
            *(Matcher(name, "=~", value) for name, value in self.match_re.items()),
            *(matcher for text in self.matchers for matcher in parse_matchers(text)),
        ]
        return tuple(sorted(given, key=lambda matcher: (matcher.name, matcher.value, matcher.op)))


def route_problems(config: RouteConfig, receivers: Collection[str], path: str = "route") -> list[Problem]:
    """What only the whole tree can tell: the root's duties, and receivers that do not exist."""
    problems = []
    if not config.receiver:
        problems.append(Problem(f"{path}.receiver", "expected a receiver: the root route catches what no other does"))
    problems += [
        Problem(f"{path}.{name}", "expected no matchers on the root route: it takes every alert")
        for name in ("matchers", "match", "match_re")
        if getattr(config, name)
    ]
    if config.go_on:
        problems.append(Problem(f"{path}.continue", "expected no continue on the root route: nothing follows it"))
    for place, node in _walk(config, path):
        if node.receiver and node.receiver not in receivers:
            problems.append(
                Problem(f"{place}.receiver", f"expected one of the receivers {_listed(receivers)}", node.receiver)
            )
    return problems


def _walk(config: RouteConfig, path: str) -> Iterator[tuple[str, RouteConfig]]:
    yield path, config
    for index, child in enumerate(config.routes):
        yield from _walk(child, f"{path}.routes[{index}]")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "(none is defined)"


@dataclass(frozen=True, slots=True)
class Route:
    """A node with everything inherited filled in.

    `id` is unique in the tree (its place); `key` is Alertmanager's, the matchers from the root down, which two
    siblings with equal matchers share. `group_by` is None for all labels. Times are seconds.
    """

    id: str
    key: str
    receiver: str
    group_by: frozenset[str] | None
    group_wait: float = GROUP_WAIT
    group_interval: float = GROUP_INTERVAL
    repeat_interval: float = REPEAT_INTERVAL
    matchers: tuple[Matcher, ...] = ()
    go_on: bool = False
    routes: tuple["Route", ...] = field(default=(), repr=False)

    def matches(self, labels: Labels) -> bool:
        return all(matcher.matches(labels) for matcher in self.matchers)

    def match(self, labels: Labels) -> list["Route"]:
        """The routes that want an alert with these labels; empty only when this node does not match."""
        if not self.matches(labels):
            return []
        found: list[Route] = []
        for child in self.routes:
            of_child = child.match(labels)
            found += of_child
            if of_child and not child.go_on:
                break
        return found or [self]

    def walk(self) -> Iterator["Route"]:
        """This node and all below it, parents first."""
        yield self
        for child in self.routes:
            yield from child.walk()


def build_tree(config: RouteConfig) -> Route:
    """The tree of a configuration that has no `route_problems`."""
    root = Route(id="0", key="{}", receiver=config.receiver or "", group_by=frozenset())
    return _resolve(config, root, "0", "{}")


def _resolve(config: RouteConfig, parent: Route, place: str, key: str) -> Route:
    own = Route(
        id=place,
        key=key,
        receiver=config.receiver or parent.receiver,
        group_by=_group_by(config, parent),
        group_wait=parent.group_wait if config.group_wait is None else config.group_wait,
        group_interval=config.group_interval or parent.group_interval,
        repeat_interval=config.repeat_interval or parent.repeat_interval,
        matchers=config.all_matchers(),
        go_on=config.go_on,
    )
    children = tuple(
        _resolve(child, own, f"{place}.{index}", f"{key}/{matchers_text(child.all_matchers())}")
        for index, child in enumerate(config.routes)
    )
    return replace(own, routes=children)


def _group_by(config: RouteConfig, parent: Route) -> frozenset[str] | None:
    if not config.group_by:
        return parent.group_by
    return None if config.group_by == (ALL_LABELS,) else frozenset(config.group_by)


def matchers_text(matchers: Iterable[Matcher], between: str = ",") -> str:
    """`{a="b",c=~"d"}`."""
    return "{" + between.join(str(matcher) for matcher in matchers) + "}"


def labels_text(labels: Labels) -> str:
    """`{a="b", c="d"}`, sorted by name; Go writes a blank here and none between matchers."""
    return matchers_text((Matcher(name, "=", labels[name]) for name in sorted(labels)), ", ")
