"""Numbers and times as a person reads them."""

import pytest

from fenghuo.up.page.texts import ago, cores, percent, polyline, size


@pytest.mark.parametrize(
    ("share", "text"), [(None, "-"), (0.0, "0 %"), (0.004, "0.4 %"), (0.123, "12 %"), (1.0, "100 %")]
)
def test_shares(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (200 << 20, "200 MiB"), (5 << 50, "5120 TiB")],
)
def test_sizes(count: float | None, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("count", "text"), [(None, "-"), (0.0004, "0 m"), (0.25, "250 m"), (1.5, "1.50")])
def test_cores(count: float | None, text: str) -> None:
    assert cores(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0s"), (0, "0s"), (59, "59s"), (119, "1m"), (7200, "2h"), (200_000, "2d")]
)
def test_ages(seconds: float, text: str) -> None:
    assert ago(1000.0, 1000.0 + seconds) == text


def test_a_line_runs_from_left_to_right_and_stays_inside() -> None:
    assert polyline([0.0, 0.5, 1.0], 1.0) == "0.0,31.0 60.0,16.0 120.0,1.0"
    assert polyline([-1.0, 9.0], 1.0) == "0.0,31.0 120.0,1.0"
    assert polyline([0.5], 1.0) == ""
    assert polyline([0.0, 0.0], 0.0) == "0.0,31.0 120.0,31.0"
