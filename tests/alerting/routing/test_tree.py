"""The route tree: matching, inheritance, keys and the mistakes that a file can hold."""

import pytest

from alerting.routing.tree import Route, RouteConfig, build_tree, route_problems
from fenghuo.config import parse_config
from fenghuo.errors import ConfigError

TREE = """
receiver: everyone
group_by: [alertname]
group_wait: 10s
routes:
  - matchers: ['team="a"']
    receiver: a
    group_wait: 0s
    group_interval: 1m
    routes:
      - matchers: [severity=~"page|urgent"]
        receiver: a-pager
        group_by: ['...']
        repeat_interval: 30m
      - match: {severity: info}
        receiver: a-mail
  - matchers: [owner!=""]
    receiver: owners
    continue: true
  - match_re: {owner: "x.*"}
    receiver: x
    group_by: [owner, region]
"""


def tree() -> Route:
    return build_tree(parse_config(TREE, RouteConfig, "tree.yml"))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({}, ["everyone"]),
        ({"team": "b"}, ["everyone"]),
        ({"team": "a"}, ["a"]),
        ({"team": "a", "severity": "warn"}, ["a"]),
        ({"team": "a", "severity": "page"}, ["a-pager"]),
        ({"team": "a", "severity": "info"}, ["a-mail"]),
        ({"team": "a", "owner": "xu"}, ["a"]),
        ({"owner": "li"}, ["owners"]),
        ({"owner": "xu"}, ["owners", "x"]),
    ],
)
def test_an_alert_goes_to_the_deepest_first_match_and_on_only_when_told(
    labels: dict[str, str], receivers: list[str]
) -> None:
    assert [route.receiver for route in tree().match(labels)] == receivers


def test_a_child_inherits_what_it_does_not_say() -> None:
    pager = tree().match({"team": "a", "severity": "page"})[0]
    assert (pager.group_wait, pager.group_interval, pager.repeat_interval) == (0.0, 60.0, 1800.0)
    assert pager.group_by is None
    mail = tree().match({"team": "a", "severity": "info"})[0]
    assert (mail.group_wait, mail.group_by) == (0.0, frozenset({"alertname"}))


def test_the_root_has_alertmanagers_times_unless_it_says_otherwise() -> None:
    root = build_tree(RouteConfig(receiver="r"))
    assert (root.group_wait, root.group_interval, root.repeat_interval) == (30.0, 300.0, 14400.0)
    assert root.group_by == frozenset()


def test_a_route_is_known_by_the_matchers_from_the_root_down() -> None:
    keys = [route.key for route in tree().walk()]
    assert keys == [
        "{}",
        '{}/{team="a"}',
        '{}/{team="a"}/{severity=~"page|urgent"}',
        '{}/{team="a"}/{severity="info"}',
        '{}/{owner!=""}',
        '{}/{owner=~"x.*"}',
    ]
    assert len({route.id for route in tree().walk()}) == len(keys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("receiver: r\ngroup_interval: 0s", "f:2: group_interval: expected a duration longer than 0, got '0s'"),
        ("receiver: r\nrepeat_interval: 0", "f:2: repeat_interval: expected a duration longer than 0"),
        ("receiver: r\ngroup_wait: -1", "f:2: group_wait: expected a duration of 0 or more, got -1"),
        ("receiver: r\ngroup_by: [a, a]", "f:2: group_by: expected each label once in group_by"),
        ("receiver: r\ngroup_by: ['...', a]", "f:2: group_by: expected '...' to stand alone in group_by"),
        ("receiver: r\nroutes:\n- matchers: ['a=~\"(\"']", "f:3: routes[0].matchers: expected a regular expression"),
        ("receiver: r\nroutes:\n- matchers: ['???']", "f:3: routes[0].matchers: expected a matcher such as"),
        ("receiver: r\nroutes:\n- match_re: {a: '('}", "f:3: routes[0].match_re: expected a regular expression"),
        ("receiver: r\nmute_time_intervals: [x]", "f:2: mute_time_intervals: unknown key"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_path(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, RouteConfig, "f")
    assert str(caught.value).startswith(expected)


def test_what_only_the_whole_tree_can_tell_is_told_at_once() -> None:
    config = RouteConfig.model_validate(
        {"matchers": ["a=b"], "continue": True, "routes": [{"receiver": "nobody"}, {"receiver": "known"}]}
    )
    assert [(problem.path, problem.value) for problem in route_problems(config, ["known"])] == [
        ("route.receiver", None),
        ("route.matchers", None),
        ("route.continue", None),
        ("route.routes[0].receiver", "nobody"),
    ]
    assert route_problems(RouteConfig(receiver="known"), ["known"]) == []
