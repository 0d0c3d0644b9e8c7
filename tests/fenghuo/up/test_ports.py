"""Each part gets its port: the last one, else the usual, else any."""

import itertools
import socket

import pytest

from fenghuo.errors import StartError
from fenghuo.up.ports import choose, connectable, is_free, read_remembered, require_free

USUAL = {"page": 8600, "logs": 9600}


@pytest.mark.parametrize(
    ("remembered", "taken", "expected"),
    [
        ({}, set(), {"page": 8600, "logs": 9600}),
        ({"page": 7001}, set(), {"page": 7001, "logs": 9600}),
        ({"page": 7001}, {7001}, {"page": 8600, "logs": 9600}),
        ({}, {8600}, {"page": 50000, "logs": 9600}),
        ({"page": 7001}, {7001, 8600}, {"page": 50000, "logs": 9600}),
        ({"page": 9600}, set(), {"page": 9600, "logs": 50000}),
        ({"page": 50000}, {9600}, {"page": 50000, "logs": 50001}),
    ],
)
def test_remembered_then_usual_then_any(remembered: dict[str, int], taken: set[int], expected: dict[str, int]) -> None:
    """No two parts get the same port, also when a remembered one is another's usual one."""
    counter = itertools.count(50000)
    assert choose(USUAL, remembered, lambda port: port not in taken, lambda: next(counter)) == expected


def test_odd_things_in_the_remembered_ports_are_left_out() -> None:
    content = {"page": 8601, "logs": "9600", "prometheus": 70000, "alerting": True, "unknown": 1}
    assert read_remembered(content) == {"page": 8601}
    assert read_remembered(["page"]) == {}


def test_a_port_that_was_asked_for_and_is_taken_says_so() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StartError, match=f"the port {port} of 127.0.0.1 is taken"):
            require_free("127.0.0.1", port)
    assert is_free(port)
    require_free("127.0.0.1", port)


def test_who_listens_everywhere_is_reached_on_loopback() -> None:
    assert connectable("0.0.0.0") == "127.0.0.1"
    assert connectable("::") == "[::1]"
    assert connectable("192.0.2.7") == "192.0.2.7"


def test_an_address_that_is_not_this_machines_says_so_whatever_the_port() -> None:
    with pytest.raises(StartError, match="not this machine's"):
        require_free("192.0.2.1", 0)
    require_free("127.0.0.1", 0)
