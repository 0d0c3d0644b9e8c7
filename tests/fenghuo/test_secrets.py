"""A secret never shows itself, and comes from a file, the environment or the text."""

from pathlib import Path

import pytest

from fenghuo.config import Config, parse_config
from fenghuo.errors import ConfigError
from fenghuo.secrets import Secret, expand_environment, read_secret


class Door(Config):
    """A configuration with a secret, as products have them."""

    key: Secret | None = None
    name: str = ""


def test_a_secret_prints_as_a_placeholder_everywhere() -> None:
    door = Door(key=Secret("hunter2"))
    shown = f"{door.key!r} {door.key} {door!r} {door.model_dump_json()}"
    assert "hunter2" not in shown
    assert door.key is not None
    assert door.key.reveal() == "hunter2"


def test_a_secret_is_read_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("hunter2\n")
    door = parse_config(f"key_file: {path}", Door, "door.yml")
    assert door.key == Secret("hunter2")


def test_both_forms_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("hunter2")
    with pytest.raises(ConfigError, match="expected one of key and key_file, not both"):
        parse_config(f"key: x\nkey_file: {path}", Door, "door.yml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a readable secret file, .*absent"):
        parse_config(f"key_file: {tmp_path / 'absent'}", Door, "door.yml")


def test_an_empty_secret_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("\n")
    with pytest.raises(ValueError, match="1 byte to 1 MiB"):
        read_secret(path)


def test_the_environment_is_expanded_in_secrets() -> None:
    assert expand_environment("a-${env:KEY}-b", {"KEY": "x"}) == "a-x-b"


def test_an_unset_variable_is_named_and_the_value_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("key: hunter2${env:FENGHUO_NO_SUCH_VARIABLE}", Door, "door.yml")
    assert "expected the environment variable FENGHUO_NO_SUCH_VARIABLE to be set" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_elsewhere_the_environment_is_plain_text() -> None:
    assert parse_config("name: ${env:HOME}", Door, "door.yml").name == "${env:HOME}"
