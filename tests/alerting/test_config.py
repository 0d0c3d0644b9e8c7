"""The configuration file with its rule files: what it means, and how its mistakes are told."""

from pathlib import Path

import pytest

from alerting.config import Flags, load_setup
from fenghuo.errors import ConfigError

GOOD = """
sources: [{name: prometheus, type: prometheus, url: http://127.0.0.1:9090}]
rule_files: [rules/*.yml]
evaluation_interval: 15s
external_url: http://alerts.example/
external_labels: {dc: eu}
storage: {path: state}
web: {listen_address: 127.0.0.1:9095}
route:
  receiver: console
  routes: [{matchers: ['severity="page"'], receiver: hook}]
receivers:
- {name: console, console_configs: [{}]}
- {name: hook, webhook_configs: [{url: http://127.0.0.1:1}]}
"""
RULES = "groups: [{name: g, rules: [{alert: A, expr: up, for: 1m}]}]"
MINIMAL = "route: {receiver: a}\nreceivers: [{name: a}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yml").write_text(RULES)
    (tmp_path / "config.yml").write_text(GOOD)
    return tmp_path


def mistakes(folder: Path, text: str) -> list[str]:
    """Each problem as `file:line: text`, the folder left out."""
    (folder / "config.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_setup(Flags(folder / "config.yml"))
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_paths_are_relative_to_the_file_and_groups_take_its_interval(folder: Path) -> None:
    setup = load_setup(Flags(folder / "config.yml"))
    assert [(group.name, group.interval, group.file) for group in setup.groups] == [
        ("g", 15.0, str(folder / "rules" / "a.yml"))
    ]
    assert (setup.storage, setup.listen_address) == (folder / "state", "127.0.0.1:9095")
    assert (setup.external_url, setup.external_labels) == ("http://alerts.example", {"dc": "eu"})


def test_a_flag_wins_over_the_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text(RULES.replace("name: g", "name: more"))
    more, elsewhere = str(tmp_path / "more.yml"), str(tmp_path / "elsewhere")
    flags = Flags(folder / "config.yml", (more,), elsewhere, "127.0.0.1:1", "http://other")
    setup = load_setup(flags)
    assert [group.name for group in setup.groups] == ["g", "more"]
    assert (setup.storage, setup.listen_address, setup.external_url) == (
        Path(elsewhere),
        "127.0.0.1:1",
        "http://other",
    )


def test_a_small_file_has_sound_defaults(folder: Path) -> None:
    (folder / "config.yml").write_text(MINIMAL)
    setup = load_setup(Flags(folder / "config.yml"))
    assert (setup.groups, setup.listen_address, setup.external_url) == (
        (),
        "127.0.0.1:9093",
        "http://127.0.0.1:9093",
    )


def test_mistakes_of_the_file_and_of_its_rule_files_come_at_once(folder: Path) -> None:
    (folder / "rules" / "b.yml").write_text("groups: [{name: b, rules: [{alert: X, expr: 'sum('}]}]")
    text = GOOD.replace("receiver: hook}", "receiver: nobody}").replace("name: hook", "name: console")
    assert mistakes(folder, text) == [
        "config.yml:11: route.routes[0].receiver: expected one of the receivers console, got 'nobody'",
        "config.yml:14: receivers[1].name: expected each name once, it stands here again, got 'console'",
        "rules/b.yml:1: groups[0].rules[0].expr: expected a PromQL expression: unclosed left parenthesis, got 'sum('",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "config.yml: route: expected a value, the key is missing"),
        ("receivers: [{name: a}]", "config.yml:1: route: expected a value, the key is missing"),
        (MINIMAL + "colour: red", "config.yml:3: colour: unknown key"),
        (MINIMAL + "evaluation_interval: 0s", "config.yml:3: evaluation_interval: expected"),
        (MINIMAL + "rule_files: [none.yml]", "rule_files: expected a file, got 'none.yml'"),
        (MINIMAL + "rule_files: [rules/a.yml]", "expected a source among (none is defined)"),
        (MINIMAL + "sources: [{name: p, type: oracle, url: http://x}]", "expected a type of source among prometheus"),
        (MINIMAL + "sources: [{name: p, url: http://x}, {name: p, url: http://y}]", "sources[1].name: expected each"),
        (MINIMAL.replace("a}\nr", "b}\nr"), "route.receiver: expected one of the receivers a, got 'b'"),
    ],
)
def test_a_mistake_names_file_line_and_expectation(folder: Path, text: str, expected: str) -> None:
    found = mistakes(folder, text)
    assert any(expected in line for line in found), found


def test_a_group_may_ask_another_source_which_must_be_there(folder: Path) -> None:
    (folder / "rules" / "a.yml").write_text(RULES.replace("name: g", "name: g, source: other"))
    assert mistakes(folder, GOOD) == ["rules/a.yml: group g: expected a source among prometheus, got 'other'"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yml: expected a readable UTF-8 file"):
        load_setup(Flags(tmp_path / "absent.yml"))
