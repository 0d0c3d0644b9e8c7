"""The house's own rules that no linter knows."""

import re
import subprocess
from pathlib import Path

import pytest

from exporters import catalog

ROOT = Path(__file__).parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
]
TEXTS = [
    path for path in TRACKED if path.is_file() and path.suffix in {".py", ".md", ".sh", ".toml", ".yml", ".yaml", ""}
]


def test_every_folder_of_tests_is_a_package() -> None:
    """Without it two test files of one name would clash, and `tests/alerting` would pose as `alerting`."""
    folders = {path.parent for path in TRACKED if path.name.startswith("test_") and path.suffix == ".py"}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    "pattern", [r"mock\.patch", r"pytest\.mark\.(skip|xfail)", r"pytest\.skip\(", r"\btime\.sleep\("]
)
def test_tests_neither_patch_nor_skip_nor_sleep(pattern: str) -> None:
    """A fake is shipped, a check is made, time is an argument."""
    guilty = [
        str(path.relative_to(ROOT))
        for path in TEXTS
        if path.suffix == ".py" and path.is_relative_to(ROOT / "tests") and path != Path(__file__)
        if not path.is_relative_to(ROOT / "tests" / "stack") and re.search(pattern, path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    """The project stands alone: no home folder and no place of a build machine in any text."""
    pattern = re.compile(r"/root/|/home/[a-z]+/|/work/")
    guilty = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in TEXTS
        if path != Path(__file__)
        if (match := pattern.search(path.read_text(encoding="utf-8")))
    ]
    assert guilty == []


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link in a Markdown file points at a file of the repository."""
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in TEXTS
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_a_collectors_file_is_called_like_it() -> None:
    """Name of file, flag and label are one word, and whatever is no collector stands elsewhere."""
    node, cgroups = (
        {path.stem for path in (ROOT / "exporters" / folder).glob("*.py")} - {"__init__"}
        for folder in ("node", "cgroups")
    )
    assert node == set(catalog.NODE)
    assert list(catalog.NODE) == sorted(catalog.NODE)
    assert cgroups == {name.removeprefix("cgroup.") for name in catalog.CGROUP}
