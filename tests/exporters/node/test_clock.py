"""Time, time zone, clock sources, and how well the clock is kept in step."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.calls import Calls, Timex
from exporters.collector import NoData
from exporters.node.time import Time
from exporters.node.timex import TimeX
from exporters.testing import TIMEX, FakeMachine, exposed, samples_in

SOURCES = "sys/devices/system/clocksource"


def test_time_and_zone(tmp_path: Path) -> None:
    """The time is that of the scrape; the zone is asked for at that time, since it changes in summer."""
    machine = FakeMachine(tmp_path)
    machine.answer(zone=lambda now: ("CEST", 7200 if now == 1_700_000_000 else 0))
    assert samples_in(exposed(Time(machine.host), 1_700_000_000)) == {
        "node_time_seconds": 1_700_000_000,
        'node_time_zone_offset_seconds{time_zone="CEST"}': 7200,
    }


def test_clock_sources_are_numbered_by_their_place(tmp_path: Path) -> None:
    """A source that is listed twice is one; other files in the folder are none."""
    machine = FakeMachine(tmp_path)
    machine.write(f"{SOURCES}/uevent", "")
    machine.write_all(
        {"available_clocksource": "tsc hpet\ntsc\n", "current_clocksource": "tsc\n"}, f"{SOURCES}/clocksource0"
    )
    machine.write_all({"available_clocksource": "arm\n", "current_clocksource": "arm\n"}, f"{SOURCES}/clocksource4")
    samples = samples_in(exposed(Time(machine.host)))
    assert [name for name in samples if "clocksource" in name] == [
        'node_time_clocksource_available_info{device="0",clocksource="tsc"}',
        'node_time_clocksource_available_info{device="0",clocksource="hpet"}',
        'node_time_clocksource_available_info{device="1",clocksource="arm"}',
        'node_time_clocksource_current_info{device="0",clocksource="tsc"}',
        'node_time_clocksource_current_info{device="1",clocksource="arm"}',
    ]


def timex(tmp_path: Path, adjtimex: Callable[[], Timex]) -> dict[str, float]:
    machine = FakeMachine(tmp_path)
    machine.answer(adjtimex=adjtimex)
    samples = samples_in(exposed(TimeX(machine.host)))
    return {name.removeprefix("node_timex_"): value for name, value in samples.items()}


def test_a_clock_in_step(tmp_path: Path) -> None:
    """Nanoseconds, microseconds and parts per million become seconds and ratios."""
    assert timex(tmp_path, lambda: TIMEX) == {
        "sync_status": 1,
        "offset_seconds": 1e-6,
        "frequency_adjustment_ratio": 1.000001,
        "maxerror_seconds": 0.016,
        "estimated_error_seconds": 0.0005,
        "status": 8192,
        "loop_time_constant": 7,
        "tick_seconds": 0.01,
        "pps_frequency_hertz": 0,
        "pps_jitter_seconds": 0,
        "pps_shift_seconds": 0,
        "pps_stability_hertz": 0,
        "pps_jitter_total": 0,
        "pps_calibration_total": 0,
        "pps_error_total": 0,
        "pps_stability_exceeded_total": 0,
        "tai_offset_seconds": 37,
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": 5}, {"sync_status": 0}),
        ({"state": 4}, {"sync_status": 1}),
        ({"status": 0x41, "offset": -1000, "jitter": 5}, {"offset_seconds": -0.001, "pps_jitter_seconds": 5e-6}),
        ({"jitter": 5}, {"pps_jitter_seconds": 5e-9}),
        ({"frequency": -65536}, {"frequency_adjustment_ratio": 0.999999}),
    ],
)
def test_what_the_fields_mean(tmp_path: Path, changes: dict[str, int], expected: dict[str, float]) -> None:
    """The fifth state is a clock out of step; a bit of the status says whether offsets are nanoseconds."""
    samples = timex(tmp_path, lambda: TIMEX._replace(**changes))
    assert {name: samples[name] for name in expected} == expected


def test_a_container_may_not_ask(tmp_path: Path) -> None:
    """The right that it takes is noted, for the operator to grant."""
    machine = FakeMachine(tmp_path)

    def refused() -> Timex:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    machine.answer(adjtimex=refused)
    host = machine.host
    with pytest.raises(NoData, match=r"adjtimex\(2\): Operation not permitted"):
        exposed(TimeX(host))
    assert host.denied == {"adjtimex(2)": "CAP_SYS_TIME"}


def test_the_time_zone_is_that_of_the_machine() -> None:
    """This machine's own: a name, and at most 14 hours."""
    name, ahead = Calls().zone(1_700_000_000)
    assert name
    assert abs(ahead) <= 14 * 3600


def test_the_kernel_is_asked_without_changing_anything() -> None:
    """This machine's own clock: a tick of a hundredth second within a tenth, and a state that there is."""
    clock = Calls().adjtimex()
    assert 9_000 <= clock.tick <= 11_000
    assert 0 <= clock.state <= 5
    assert clock.maximum_error >= 0
