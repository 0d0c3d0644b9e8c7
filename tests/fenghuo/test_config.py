"""A configuration file is read strictly, and every mistake in it is told at once with its line."""

from pathlib import Path

import pytest

from fenghuo.config import Config, Seconds, load_config, parse_config
from fenghuo.errors import ConfigError
from fenghuo.yamltext import dotted, parse_yaml


class Route(Config):
    """A nested value."""

    receiver: str
    wait: Seconds = 30.0


class Whole(Config):
    """A root value with a list."""

    name: str
    routes: tuple[Route, ...] = ()


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, Whole, "fenghuo.yml")
    return str(caught.value).splitlines()


def test_a_good_file_becomes_frozen_values_with_defaults() -> None:
    whole = parse_config("name: a\nroutes:\n- receiver: b\n- {receiver: c, wait: 1m30s}", Whole, "fenghuo.yml")
    assert whole == Whole(name="a", routes=(Route(receiver="b", wait=30), Route(receiver="c", wait=90)))
    with pytest.raises(ValueError, match="frozen"):
        whole.name = "other"


def test_every_mistake_is_told_with_its_line_path_and_value() -> None:
    text = "name: a\nroutes:\n- receiver: b\n  wait: soon\n- reciever: c\ncolour: red\n"
    assert problems(text) == [
        "fenghuo.yml:4: routes[0].wait: expected a duration such as 30s, 5m or 1h30m, got 'soon'",
        "fenghuo.yml:5: routes[1].receiver: expected a value, the key is missing",
        "fenghuo.yml:5: routes[1].reciever: unknown key, expected none of this name",
        "fenghuo.yml:6: colour: unknown key, expected none of this name",
    ]


def test_a_key_that_stands_twice_is_refused() -> None:
    assert problems("name: a\nname: b\n") == ["fenghuo.yml:2: name: expected each key once, it stands here again"]


@pytest.mark.parametrize("text", ["name: [", "\tname: a", "a: &a [*a]", "name: !!python/object:os.system x"])
def test_bad_yaml_is_one_clear_line(text: str) -> None:
    (line,) = problems(text)
    assert line.startswith("fenghuo.yml")
    assert "expected valid YAML" in line


@pytest.mark.parametrize("text", ["- a list", "just text", "42"])
def test_a_root_that_is_no_mapping_is_refused(text: str) -> None:
    assert all("expected" in line for line in problems(text))


def test_an_empty_file_lacks_what_is_required() -> None:
    assert problems("") == ["fenghuo.yml: name: expected a value, the key is missing"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yml: expected a readable UTF-8 file"):
        load_config(tmp_path / "absent.yml", Whole)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.yml"
    path.write_bytes(b"name: caf\xe9")
    with pytest.raises(ConfigError, match="expected a readable UTF-8 file"):
        load_config(path, Whole)


def test_paths_are_written_the_way_people_read_them() -> None:
    assert dotted(("route", "routes", 0, "receiver")) == "route.routes[0].receiver"


def test_aliases_that_multiply_without_end_are_refused() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="more than 500000 values"):
        parse_yaml("\n".join(layers), "bomb.yml")


@pytest.mark.parametrize("pair", ["<<: *a{n}, <<: *a{n}", "b: *a{n}, b: *a{n}"])
def test_keys_that_stand_twice_multiply_nothing(pair: str) -> None:
    """Each layer has the layer below twice under one name: there are few paths, and a billion ways to them."""
    layers = [f"k{n}: &a{n + 1} {{{pair.format(n=n)}}}" for n in range(30)]
    with pytest.raises(ConfigError, match="more than 500000 values"):
        parse_yaml("\n".join(["k: &a0 {x: 1}", *layers]), "bomb.yml")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 200))]
)
def test_what_is_too_deep_is_refused(text: str) -> None:
    """libyaml would overflow its stack, which ends the process."""
    with pytest.raises(ConfigError, match=r"deep.yml:\d+: expected valid YAML \(more than 100 collections"):
        parse_yaml(text, "deep.yml")


def test_scalars_can_be_left_as_they_are_written() -> None:
    data, lines = parse_yaml("a: 1.10\nb: on\nc: 12:30\nd:\ne: [~, 2026-11-21]", "f.yml", as_written=True)
    assert data == {"a": "1.10", "b": "on", "c": "12:30", "d": None, "e": [None, "2026-11-21"]}
    assert lines["e", 1] == 5
