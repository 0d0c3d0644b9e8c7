"""Times as Go's JSON has them."""

import pytest

from alerting.notify.timestamps import api_time, go_time


@pytest.mark.parametrize(
    ("seconds", "offset", "webhook", "api"),
    [
        (1_700_000_000.0, 0, "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000Z"),
        (1_700_000_000.25, 0, "2023-11-14T22:13:20.25Z", "2023-11-14T22:13:20.250Z"),
        (1_700_000_000.0, 28_800, "2023-11-15T06:13:20+08:00", "2023-11-15T06:13:20.000+08:00"),
        (1_700_000_000.5, -12_600, "2023-11-14T18:43:20.5-03:30", "2023-11-14T18:43:20.500-03:30"),
    ],
)
def test_a_time_is_written_in_the_zone_of_its_sender(seconds: float, offset: int, webhook: str, api: str) -> None:
    assert (go_time(seconds, offset), api_time(seconds, offset)) == (webhook, api)
