"""Sizes are law: a file is one room, a function one thought. Limits may be lowered and never raised."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("fenghuo", "exporters", "alerting", "log_pipeline", "dashboards")
LINES_A_FILE = 400
LINES_A_FUNCTION = 40

SOURCES = [
    path for package in PRODUCT for path in sorted((ROOT / package).rglob("*.py")) if "generated" not in path.parts
]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function's name and its lines less its docstring."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0]
        has_docstring = ast.get_docstring(node, clean=False) is not None
        docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
        yield node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_room(path: Path) -> None:
    """No product file is longer than the limit, and it says first what it is for."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_A_FILE
    assert not text or ast.get_docstring(ast.parse(text)), "the module's docstring is missing"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_is_one_thought(path: Path) -> None:
    """No function is longer than the limit, its docstring aside."""
    assert [(name, size) for name, size in functions(path) if size > LINES_A_FUNCTION] == []


def test_half_of_the_files_and_functions_are_small() -> None:
    """The medians that the models of the field keep."""
    files = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES if path.stat().st_size)
    sizes = sorted(size for path in SOURCES for _, size in functions(path))
    assert files[len(files) // 2] <= 150
    assert sizes[len(sizes) // 2] <= 10
