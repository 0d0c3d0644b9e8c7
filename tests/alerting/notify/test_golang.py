"""JSON, times and quoting as Go has them."""

import pytest

from alerting.notify.golang import api_time, go_json, go_time, quote_meta


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


def test_json_escapes_what_go_escapes() -> None:
    text = '<b> & "quoted" \\ \u2028\u2029 \u00e9 \n'
    expected = r'{"a":"\u003cb\u003e \u0026 \"quoted\" \\ \u2028\u2029 \u00e9 \n"}'.replace(r"\u00e9", "\u00e9")
    assert go_json({"a": text}).decode() == expected + "\n"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("team.x", r"team\.x"), ("a-b_c d", "a-b_c d"), (r"\.+*?()|[]{}^$", r"\\\.\+\*\?\(\)\|\[\]\{\}\^\$")],
)
def test_a_name_is_quoted_for_expressions(text: str, quoted: str) -> None:
    assert quote_meta(text) == quoted
