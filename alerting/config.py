"""The configuration of the alert engine: one YAML file, and the rule files that it names.

`load_setup` reads all of it or raises one ConfigError with every mistake of every file; a reload therefore changes
everything or nothing. Sources and receivers come from their catalogs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from alerting.model.labels import Labels
from alerting.receivers.catalog import ReceiverConfig
from alerting.routing.tree import RouteConfig, route_problems
from alerting.rules.load import find_files, load_files
from alerting.rules.rule import Group, RecordingRule
from alerting.sources.catalog import SourceConfig
from fenghuo.config import Config, Seconds, validate
from fenghuo.errors import ConfigError, Problem
from fenghuo.yamltext import YamlPath, dotted, parse_yaml, read_text


class StorageConfig(Config):
    """`path` is the folder of `alerting.sqlite`, relative to the configuration file."""

    path: str = "state"


class WebConfig(Config):
    """Where the API listens."""

    listen_address: str = "127.0.0.1:9093"


class AlertingConfig(Config):
    """The whole file. The first source is the one that rule files ask unless their group names another."""

    sources: tuple[SourceConfig, ...] = ()
    rule_files: tuple[str, ...] = ()
    evaluation_interval: Seconds = Field(default=60.0, gt=0)
    external_url: str = ""
    external_labels: dict[str, str] = Field(default_factory=dict)
    storage: StorageConfig = StorageConfig()
    web: WebConfig = WebConfig()
    route: RouteConfig
    receivers: tuple[ReceiverConfig, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; a flag that is given wins over the file."""

    config_file: Path
    rules: tuple[str, ...] = ()
    storage_path: str = ""
    listen_address: str = ""
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that was read, checked and fits together."""

    config: AlertingConfig
    groups: tuple[Group, ...]
    storage: Path
    listen_address: str
    external_url: str

    @property
    def external_labels(self) -> Labels:
        """Labels that templates know as `$externalLabels`."""
        return self.config.external_labels

    @property
    def recording_rules(self) -> int:
        """How many rules are shown and not evaluated."""
        return sum(isinstance(rule, RecordingRule) for group in self.groups for rule in group.rules)


def load_setup(flags: Flags) -> Setup:
    """Read the configuration and all rule files. Raises ConfigError with every mistake of every file."""
    config, errors = _read_config(flags.config_file)
    folder = flags.config_file.parent
    groups: tuple[Group, ...] = ()
    try:
        files = [*find_files(config.rule_files if config else (), folder), *find_files(flags.rules, Path.cwd())]
        groups = load_files(dict.fromkeys(files), config.evaluation_interval if config else 60.0)
    except ConfigError as error:
        errors.append(error)
    if config is not None and not errors:
        errors += _source_errors(config, groups)
    if errors or config is None:
        raise ConfigError.joined(errors)
    address = flags.listen_address or config.web.listen_address
    return Setup(
        config=config,
        groups=groups,
        storage=Path(flags.storage_path) if flags.storage_path else folder / config.storage.path,
        listen_address=address,
        external_url=(flags.external_url or config.external_url or f"http://{address}").rstrip("/"),
    )


def _read_config(file: Path) -> tuple[AlertingConfig | None, list[ConfigError]]:
    try:
        data, lines = parse_yaml(read_text(file), str(file))
        config = validate({} if data is None else data, lines, AlertingConfig, str(file))
    except ConfigError as error:
        return None, [error]
    problems = config_problems(config)
    if not problems:
        return config, []
    return config, [ConfigError(str(file), [_with_line(problem, lines) for problem in problems])]


def config_problems(config: AlertingConfig) -> list[Problem]:
    """What only the whole file can tell."""
    names = [receiver.name for receiver in config.receivers]
    return [
        *route_problems(config.route, set(names)),
        *_doubled("receivers", names),
        *_doubled("sources", [source.name for source in config.sources]),
    ]


def _doubled(path: str, names: Sequence[str]) -> list[Problem]:
    counts = Counter(names)
    return [
        Problem(f"{path}[{index}].name", "expected each name once, it stands here again", name)
        for index, name in enumerate(names)
        if counts[name] > 1 and name in names[:index]
    ]


def _source_errors(config: AlertingConfig, groups: Sequence[Group]) -> list[ConfigError]:
    """A group that asks a source which is not there."""
    names = [source.name for source in config.sources]
    known = ", ".join(names) or "(none is defined)"
    return [
        ConfigError(
            group.file, [Problem(f"group {group.name}", f"expected a source among {known}", group.source or None)]
        )
        for group in groups
        if (group.source and group.source not in names) or not names
    ]


def _with_line(problem: Problem, lines: Mapping[YamlPath, int]) -> Problem:
    """The problem with the line of its path, or of the nearest parent."""
    by_road = {dotted(path): line for path, line in lines.items()}
    road = problem.path
    while road and road not in by_road:
        road = road[: max(road.rfind("."), road.rfind("["), 0)]
    return Problem(problem.path, problem.expected, problem.value, by_road.get(road, 0))
