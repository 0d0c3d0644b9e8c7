"""From rule files to groups: Prometheus' own YAML, plain or inside a PrometheusRule object.

Nothing is half loaded: either every file is right and all groups come back, or one ConfigError holds every
mistake of every file with its line.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from alerting.rules.file_format import GroupEntry, PrometheusRule, RuleEntry, RuleFile
from alerting.rules.rule import AlertingRule, Group, RecordingRule, Rule, rule_id
from fenghuo.config import validate
from fenghuo.errors import ConfigError, Problem
from fenghuo.yamltext import nearest_line, parse_yaml, read_text

INTERVAL = 60.0
"""Seconds between evaluations where neither the group nor the configuration says otherwise: Prometheus' default."""


def find_files(patterns: Sequence[str], folder: Path) -> list[Path]:
    """The files that the patterns mean, relative to `folder`, sorted within a pattern, each once.

    Raises ConfigError naming every pattern without wildcards that means no file; one with wildcards may mean none.
    """
    found: dict[Path, None] = {}
    missing = []
    for pattern in patterns:
        path = Path(pattern)
        base = Path(path.anchor) if path.is_absolute() else folder
        relative = str(path.relative_to(path.anchor)) if path.is_absolute() else pattern
        files = sorted(file for file in base.glob(relative) if file.is_file()) if relative else []
        if not files and not any(char in pattern for char in "*?["):
            missing.append(Problem("rule_files", "expected a file", pattern))
        found.update(dict.fromkeys(files))
    if missing:
        raise ConfigError(str(folder), missing)
    return list(found)


def load_files(files: Iterable[Path], interval: float = INTERVAL) -> tuple[Group, ...]:
    """Read rule files in order; `interval` (seconds) is for groups that give none.

    Raises ConfigError with all problems of all files.
    """
    texts: list[tuple[str, str]] = []
    errors: list[ConfigError] = []
    for file in files:
        try:
            texts.append((read_text(file), str(file)))
        except ConfigError as error:
            errors.append(error)
    return _load(texts, interval, errors)


def load_text(text: str, file: str = "rules.yml", interval: float = INTERVAL) -> tuple[Group, ...]:
    """Read one rule file's text; `file` names it in errors. Raises ConfigError with all its problems."""
    return _load([(text, file)], interval, [])


def _load(texts: Sequence[tuple[str, str]], interval: float, errors: list[ConfigError]) -> tuple[Group, ...]:
    entries: list[tuple[str, GroupEntry]] = []
    for text, file in texts:
        try:
            entries += [(file, entry) for entry in _parse(text, file).groups]
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise ConfigError.joined(errors)
    seen: Counter[tuple[str, ...]] = Counter()
    return tuple(_group(entry, file, interval, seen) for file, entry in entries)


def _parse(text: str, file: str) -> RuleFile:
    data, lines = parse_yaml(text, file, as_written=True)
    if data is None:
        return RuleFile()
    if isinstance(data, dict) and "kind" in data:
        # what Kubernetes itself adds to an object is none of our business
        known = {name: value for name, value in data.items() if name in ("apiVersion", "kind", "metadata", "spec")}
        parsed = validate(known, lines, PrometheusRule, file).spec
        road: tuple[str, ...] = ("spec", "groups")
    else:
        parsed, road = validate(data, lines, RuleFile, file), ("groups",)
    names = [entry.name for entry in parsed.groups]
    problems = [
        Problem(
            f"{'.'.join(road)}[{index}].name",
            "expected each group name once a file, it stands here again",
            name,
            nearest_line(lines, (*road, index, "name")),
        )
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    if problems:
        raise ConfigError(file, problems)
    return parsed


def _group(entry: GroupEntry, file: str, interval: float, seen: Counter[tuple[str, ...]]) -> Group:
    return Group(
        name=entry.name,
        file=file,
        interval=entry.interval or interval,
        rules=tuple(_rule(rule, entry, seen) for rule in entry.rules),
        limit=entry.limit,
        query_offset=entry.query_offset or 0.0,
        source=entry.source,
    )


def _rule(entry: RuleEntry, group: GroupEntry, seen: Counter[tuple[str, ...]]) -> Rule:
    labels = {**group.labels, **entry.labels}
    texts = {name: template.text for name, template in labels.items()}
    name = entry.alert or entry.record or ""
    key = (group.name, name, *(part for pair in sorted(texts.items()) for part in pair))
    identity = rule_id(group.name, name, texts, seen[key])
    seen[key] += 1
    if entry.record is not None:
        return RecordingRule(identity, name, entry.expr, tuple(labels.items()))
    return AlertingRule(
        id=identity,
        name=name,
        expr=entry.expr,
        hold=entry.hold or 0.0,
        keep_firing_for=entry.keep_firing_for or 0.0,
        labels=tuple(labels.items()),
        annotations=tuple(entry.annotations.items()),
    )
