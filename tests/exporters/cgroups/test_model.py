"""What is made of a file's lines `key value`, also when the next cgroup's are others."""

import pytest

from exporters.cgroups.tree.model import Fields

FIRST = b"anon 1\nfile 2\nshmem 3\npgfault 4\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"anon 10\nfile 20\nshmem 30\npgfault 40\n", {b"anon": 10, b"file": 20, b"pgfault": 40}),
        (b"file 20\nanon 10\nshmem 30\npgfault 40\n", {b"anon": 10, b"file": 20, b"pgfault": 40}),
        (b"zswap 0\nanon 10\nfile 20\nshmem 30\npgfault 40\n", {b"anon": 10, b"file": 20, b"pgfault": 40}),
        (b"anon 10\n", {b"anon": 10}),
        (b"anon 10\nfile max\nshmem 30\npgfault 40\n", {b"anon": 10, b"pgfault": 40}),
        (b"anon 10\nfile 99999999999999999999999\nshmem 30\npgfault 40\n", {b"anon": 10, b"pgfault": 40}),
        (b"anon -10\nfile 20\nshmem 30\npgfault 40\n", {b"file": 20, b"pgfault": 40}),
        (b"anon 10\nfile", {b"anon": 10}),
        (b"\xff\x00\n", {}),
        (b"", {}),
        (None, {}),
    ],
)
def test_the_wanted_lines_of_a_file(content: bytes | None, expected: dict[bytes, int]) -> None:
    """Whether its lines are those of the file that was read before, or the first that is read, or follow after."""
    fields = Fields(b"anon", b"file", b"pgfault")
    assert fields.of(b"anon 5\nfile 6\nshmem 7\nx 8\n") == {b"anon": 5, b"file": 6}
    assert fields.of(FIRST) == {b"anon": 1, b"file": 2, b"pgfault": 4}
    assert fields.of(content) == fields.of(content) == Fields(b"anon", b"file", b"pgfault").of(content) == expected
    assert fields.of(FIRST) == {b"anon": 1, b"file": 2, b"pgfault": 4}
