"""docker-compose.yml as values, for the tests."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def load() -> dict[str, Any]:
    """The file with every variable at its default."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(lambda match: match[2] or "", text))
    return loaded


def services() -> dict[str, dict[str, Any]]:
    """Each service by name."""
    found: dict[str, dict[str, Any]] = load()["services"]
    return found


def variables() -> dict[str, str]:
    """Each variable that may be set, with its default."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return {match[1]: match[2] or "" for match in _VARIABLE.finditer(text)}


def mounts(service: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """What a service mounts: source, target, and whether it may only read it."""
    return [_mount(item) for item in service.get("volumes", [])]


def _mount(item: str | dict[str, Any]) -> tuple[str, str, bool]:
    if isinstance(item, dict):
        return item["source"], item["target"], item.get("read_only", False)
    source, target, *options = item.split(":")
    return source, target, "ro" in options


def is_one_shot(service: dict[str, Any]) -> bool:
    """Whether it runs to its end and is not started again."""
    return bool(service["restart"] == "no")
