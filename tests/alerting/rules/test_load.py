"""Rule files: what loads, what is refused and where, and what keeps a rule's identity."""

from pathlib import Path

import pytest

from alerting.rules.load import find_files, load_files, load_text
from alerting.rules.rule import AlertingRule, Group, RecordingRule
from fenghuo.errors import ConfigError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "alerting"
LIBRARY = Path(__file__).parents[3] / "alerting" / "rules" / "library"

GOOD = """
groups:
  - name: web
    interval: 30s
    limit: 10
    query_offset: 1m
    labels: {team: web, severity: none}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1m30s
        labels:
          severity: page
          level: 1
          version: 1.10
          night: on
        annotations:
          summary: "{{ $labels.instance }} is down"
  - name: empty
    rules:
"""


def problems(text: str) -> list[str]:
    """Each problem of a file as `line: text`."""
    with pytest.raises(ConfigError) as caught:
        load_text(text, "f.yml")
    return [line.removeprefix("f.yml:") for line in str(caught.value).splitlines()]


def rules(text: str) -> list[AlertingRule]:
    return [rule for group in load_text(text) for rule in group.rules if isinstance(rule, AlertingRule)]


def test_a_file_of_prometheus_loads_with_all_its_fields() -> None:
    web, empty = load_text(GOOD, "f.yml", interval=15.0)
    assert (web.name, web.file, web.interval, web.limit, web.query_offset) == ("web", "f.yml", 30.0, 10, 60.0)
    assert (empty.interval, empty.rules) == (15.0, ())
    recording, down = web.rules
    assert isinstance(recording, RecordingRule)
    assert isinstance(down, AlertingRule)
    assert (down.name, down.expr, down.hold, down.keep_firing_for) == ("Down", "up == 0", 300.0, 90.0)
    assert {name: template.text for name, template in down.labels} == {
        "team": "web",
        "severity": "page",
        "level": "1",
        "version": "1.10",
        "night": "on",
    }


def test_a_prometheus_rule_object_loads_like_the_file_in_it() -> None:
    inner = "".join(f"  {line}\n" for line in GOOD.splitlines())
    head = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\nspec:\n"
    assert [group.name for group in load_text(f"{head}{inner}status: {{}}\n")] == ["web", "empty"]


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*PrometheusRule.yaml")) + sorted(LIBRARY.glob("*.yml")), ids=str)
def test_rules_in_use_load(file: Path) -> None:
    """Real rule files: kube-prometheus' (see the fixtures' README) and our own."""
    assert sum(len(group.rules) for group in load_files([file])) > 3


def test_an_empty_file_has_no_groups() -> None:
    assert load_text("") == load_text("groups:\n") == ()


def test_every_mistake_of_a_file_comes_at_once_with_its_line() -> None:
    text = """
groups:
  - name: a
    interval: 0s
    colour: red
    rules:
      - alert: X
        expr: sum(
        for: 5x
        labels: {bad-name: x, alertname: y}
        annotations: {summary: "{{ nope }}"}
      - record: a b
        expr: rate(up)
      - record: a:b
        expr: up
        for: 1m
      - expr: up
      - alert: Y
        record: y
        expr: up
      - alert: Z
"""
    found = problems(text)
    assert [line.split(": ")[:2] for line in found] == [
        ["4", "groups[0].interval"],
        ["8", "groups[0].rules[0].expr"],
        ["9", "groups[0].rules[0].for"],
        ["10", "groups[0].rules[0].labels.bad-name"],
        ["10", "groups[0].rules[0].labels.alertname"],
        ["11", "groups[0].rules[0].annotations.summary"],
        ["12", "groups[0].rules[1].record"],
        ["13", "groups[0].rules[1].expr"],
        ["14", "groups[0].rules[2]"],
        ["17", "groups[0].rules[3]"],
        ["18", "groups[0].rules[4]"],
        ["21", "groups[0].rules[5].expr"],
        ["5", "groups[0].colour"],
    ]
    assert "unclosed left parenthesis, got 'sum('" in found[1]
    assert "unknown function nope" in found[5]
    assert "expected type matrix in call to function 'rate'" in found[7]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("groups: [{name: a}, {name: a}]", "1: groups[1].name: expected each group name once a file"),
        ("groups: [{rules: []}]", "1: groups[0].name: expected a value, the key is missing"),
        ("groups: [{name: ''}]", "1: groups[0].name: expected a name"),
        ("groups: {}", "1: groups: expected"),
        ("rules: []", "1: rules: unknown key"),
        ("groups:\n- name: a\n  limit: -1", "3: groups[0].limit: expected"),
        ("groups:\n- name: a\n  name: b", "3: groups[0].name: expected each key once"),
        ("groups: [\n", "2: expected valid YAML"),
        ("kind: ConfigMap\napiVersion: v1", "1: kind: expected"),
        ("- a", "1: expected"),
    ],
)
def test_a_mistake_names_line_path_and_expectation(text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in problems(text)), problems(text)


def test_the_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("groups: [{name: a, x: 1}]")
    (tmp_path / "b.yml").write_text(GOOD)
    (tmp_path / "c.yml").write_text("groups: [{name: c, rules: [{alert: X, expr: '('}]}]")
    with pytest.raises(ConfigError) as caught:
        load_files([*find_files(["*.yml"], tmp_path), tmp_path / "absent.yml"])
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].removeprefix(f"{tmp_path}/") for line in lines] == ["absent.yml", "a.yml", "c.yml"]


def test_patterns_are_relative_to_the_folder_and_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    for name in ("rules/b.yml", "rules/a.yml", "other.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = find_files(["rules/*.yml", "other.yml", str(tmp_path / "rules" / "a.yml"), "none/*.yml"], tmp_path)
    assert [str(file.relative_to(tmp_path)) for file in found] == ["rules/a.yml", "rules/b.yml", "other.yml"]
    with pytest.raises(ConfigError, match=r"expected a file, got 'absent\.yml'"):
        find_files(["absent.yml"], tmp_path)


RULE = "groups: [{{name: {group}, rules: [{{alert: A, expr: {expr}, for: {hold}, labels: {{s: {label}}}}}]}}]"


def identity(group: str = "g", expr: str = "up", hold: str = "1m", label: str = "x", file: str = "f.yml") -> str:
    (loaded,) = load_text(RULE.format(group=group, expr=expr, hold=hold, label=label), file)
    return str(loaded.rules[0].id)


def test_an_edit_of_expression_for_or_file_keeps_the_identity_and_another_name_does_not() -> None:
    assert identity() == identity(expr="down") == identity(hold="5m") == identity(file="moved.yml")
    assert len({identity(), identity(group="h"), identity(label="y")}) == 3


def test_two_rules_of_one_name_have_two_identities_that_stay() -> None:
    twice = "groups: [{name: g, rules: [{alert: A, expr: a}, {alert: A, expr: b}]}]"
    first, second = rules(twice)
    assert first.id != second.id
    assert [rule.id for rule in rules(twice)] == [first.id, second.id]


def test_groups_are_equal_when_nothing_in_them_changed() -> None:
    groups: tuple[Group, ...] = load_text(GOOD)
    assert groups == load_text(GOOD)
    assert groups != load_text(GOOD.replace("is down", "is away"))
