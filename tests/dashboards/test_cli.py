"""`fenghuo dashboards` as its user meets it."""

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from dashboards.cli import command
from fenghuo.errors import ConfigError
from fenghuo.testing import RecordingServer, Reply


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_list_names_every_board_and_view() -> None:
    """With their titles."""
    result = invoke("list")

    assert result.exit_code == 0
    assert "node_overview" in result.output
    assert "fenghuo / Host and containers" in result.output
    assert "Container logs: errors" in result.output


def test_generate_writes_and_then_check_is_content(tmp_path: Path) -> None:
    """Into a folder of one's choice."""
    assert invoke("generate", "--output", str(tmp_path)).exit_code == 0

    result = invoke("generate", "--check", "--output", str(tmp_path))
    assert (result.exit_code, result.output) == (0, f"{tmp_path}: as generated\n")


def test_check_fails_naming_every_file_that_differs_and_writes_none(tmp_path: Path) -> None:
    """An empty folder lacks them all."""
    result = invoke("generate", "--check", "--output", str(tmp_path))

    assert isinstance(result.exception, ConfigError)
    assert [problem.path for problem in result.exception.problems] == [
        "grafana/node_overview.json",
        "kibana/logs.ndjson",
    ]
    assert list(tmp_path.iterdir()) == []


def test_push_kibana_says_how_many_objects_were_taken(tmp_path: Path) -> None:
    """Over real HTTP, with the password from its file."""
    password = tmp_path / "password"
    password.write_text("pass\n", encoding="utf-8")

    async def work() -> tuple[Result, str]:
        async with RecordingServer() as server:
            server.replies.append(Reply(body=b'{"success": true, "successCount": 3}'))
            arguments = ("push-kibana", "--url", server.url, "--password-file", str(password))
            result = await asyncio.to_thread(invoke, *arguments)
            return result, server.requests[0].headers["Authorization"]

    result, authorization = asyncio.run(work())
    assert (result.exit_code, result.output) == (0, "3 objects imported\n")
    assert authorization == "Basic ZWxhc3RpYzpwYXNz"


def test_a_password_file_that_is_not_there_is_named() -> None:
    """A wrong option is a wrong usage: exit code 2."""
    result = invoke("push-kibana", "--password-file", "/nowhere/password")

    assert result.exit_code == 2
    assert "/nowhere/password" in result.output
