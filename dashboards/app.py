"""Generate, check and hand over: the catalog's boards and views as files, the only writer of `generated/`."""

from pathlib import Path

from dashboards.catalog import GRAFANA, KIBANA
from dashboards.grafana.lint import lint
from dashboards.grafana.render import render as render_board
from dashboards.grafana.render import to_json
from dashboards.kibana.objects import SavedObject
from dashboards.kibana.objects import render as render_objects
from fenghuo.errors import ConfigError, Problem, StorageError

GENERATED = Path(__file__).parent / "generated"
"""Where the committed files are."""


def files() -> dict[str, str]:
    """Every generated file: its path below the folder, and its text. Raises ConfigError for a board that fails lint."""
    texts = {}
    for name, build in GRAFANA.items():
        board = build()
        problems = lint(to_json(board))
        if problems:
            raise ConfigError(f"dashboards/boards/{name}.py", problems)
        texts[f"grafana/{name}.json"] = render_board(board)
    return texts | {f"kibana/{name}.ndjson": render_objects(build()) for name, build in KIBANA.items()}


def differences(folder: Path) -> list[Problem]:
    """What `write` would change in the folder."""
    wanted, found = files(), _found(folder)
    return [
        *(Problem(name, "expected this file, it is missing") for name in sorted(wanted.keys() - found.keys())),
        *(
            Problem(name, "expected no such file, nothing generates it")
            for name in sorted(found.keys() - wanted.keys())
        ),
        *(
            Problem(name, "expected what `fenghuo dashboards generate` writes, it differs")
            for name in sorted(wanted.keys() & found.keys())
            if wanted[name] != found[name]
        ),
    ]


def write(folder: Path) -> list[str]:
    """Bring the folder in line; returns the paths that changed. Raises StorageError naming the folder."""
    wanted = files()
    changed = [problem.path for problem in differences(folder)]
    try:
        for name in changed:
            path = folder / name
            if name not in wanted:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
    except OSError as error:
        raise StorageError(f"can't write {folder}: {error}") from error
    return changed


def kibana_objects() -> list[SavedObject]:
    """The objects of all Kibana views, in the catalog's order."""
    return [item for build in KIBANA.values() for item in build()]


def _found(folder: Path) -> dict[str, str]:
    try:
        return {
            str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for pattern in ("grafana/*.json", "kibana/*.ndjson")
            for path in folder.glob(pattern)
        }
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"can't read {folder}: {error}") from error
