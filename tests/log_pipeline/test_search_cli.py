"""`fenghuo logs search` as a user at a terminal sees it."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fenghuo.errors import FenghuoError
from fenghuo.testing import ManualClock
from log_pipeline.adapters.sqlite import SqliteConfig, SqliteSink
from log_pipeline.cli import command
from log_pipeline.model.event import Pod
from log_pipeline.testing import new_event

WEB = Pod("shop", "web-1", "app")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with three lines in its database."""

    async def main() -> None:
        config = SqliteConfig(type="sqlite", path=tmp_path / "logs" / "logs.sqlite", retention=1e12)
        sink = SqliteSink(config, ManualClock())
        await sink.open()
        await sink.write([new_event(number, f"payment {number}", level="error", pod=WEB) for number in range(3)])
        await sink.close()

    asyncio.run(main())
    return tmp_path


def search(*arguments: str, environment: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(command, ["search", *arguments], env=environment or {})


def test_lines_are_printed_from_the_oldest_to_the_newest(state: Path) -> None:
    result = search("level:error payment", "--state", str(state))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"2026-11-21T09:30:00.000Z shop/web-1[app] error payment {number}" for number in range(3)
    ]
    assert result.stderr == ""


def test_words_need_no_quotes_around_them(state: Path) -> None:
    assert search("level:error", "payment", "not", "1", "--state", str(state)).stdout.count("\n") == 2


def test_the_newest_are_given_and_it_is_said_that_there_are_more(state: Path) -> None:
    result = search("--limit", "2", "--state", str(state))
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ["1", "2"]
    assert result.stderr == "the newest 2 of 3 lines; --limit shows more\n"


def test_json_is_one_object_a_line(state: Path) -> None:
    result = search("1", "--json", "--db", str(state / "logs" / "logs.sqlite"))
    (line,) = map(json.loads, result.stdout.splitlines())
    assert (line["message"], line["namespace"], line["pod"], line["offset"]) == ("payment 1", "shop", "web-1", 1)


def test_the_place_of_fenghuo_up_is_searched_when_none_is_named(state: Path) -> None:
    state.rename(state.parent / "fenghuo")
    found = search("payment", environment={"XDG_STATE_HOME": str(state.parent)})
    assert found.stdout.count("\n") == 3


def test_a_configuration_says_where_to_search(state: Path) -> None:
    config = {
        "source": {"type": "files", "paths": ["/none"]},
        "sink": {"type": "sqlite", "path": str(state / "logs" / "logs.sqlite")},
    }
    (state / "logs.yml").write_text(json.dumps(config))
    assert search("payment", "--config.file", str(state / "logs.yml")).stdout.count("\n") == 3


def test_nothing_found_is_said_and_no_error(state: Path) -> None:
    result = search("nothing-of-the-kind", "--state", str(state))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no line found\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["level:"], "column 7: expected a value after level:"),
        (["--since", "soon"], "since: expected a duration such as 10m"),
        (["--limit", "0"], "limit: expected a number from 1 to 1000"),
        (["--db", "nowhere.sqlite"], "there is no log database at nowhere.sqlite; start `fenghuo up`"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], says: str) -> None:
    error = search(*arguments).exception
    assert isinstance(error, FenghuoError)
    assert says in str(error)
    assert "\n" not in str(error)


def test_two_places_at_once_are_refused(state: Path) -> None:
    result = search("x", "--db", "a", "--state", "b")
    assert result.exit_code == 2
    assert "give one of --db, --state and --config.file" in result.output
