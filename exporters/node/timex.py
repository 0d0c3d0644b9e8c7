"""How well the clock is kept in step: offset, errors, frequency and pulses per second, from adjtimex(2).

A container may lack the right to ask: docker refuses the call without CAP_SYS_TIME, although it changes nothing.
"""

import errno
from collections.abc import Callable, Iterator

from exporters.calls import Timex
from exporters.collector import Family, Metric, NoData, counter, gauge
from exporters.host import Host
from exporters.readers.singles import Singles

TIME_ERROR = 5
"""The state of a clock that is not synchronized."""
STA_NANO = 0x2000
"""The bit of `status` that makes offset and jitter nanoseconds; without it they are microseconds."""
MICRO, NANO = 1e6, 1e9
PPM = 1e6 * 65536.0
"""Frequencies are parts per million with 16 binary digits behind the point."""


def _resolution(clock: Timex) -> float:
    return NANO if clock.status & STA_NANO else MICRO


def _gauge(name: str, help: str) -> Metric:
    return gauge(f"node_timex_{name}", help)


def _counter(name: str, help: str) -> Metric:
    return counter(f"node_timex_{name}", help)


VALUES: tuple[tuple[Metric, Callable[[Timex], float]], ...] = (
    (_gauge("sync_status", "Whether the clock is in step with a reliable server."), lambda t: t.state != TIME_ERROR),
    (_gauge("offset_seconds", "Offset of the clock from its reference."), lambda t: t.offset / _resolution(t)),
    (
        _gauge("frequency_adjustment_ratio", "Factor by which the clock's frequency is corrected."),
        lambda t: 1 + t.frequency / PPM,
    ),
    (_gauge("maxerror_seconds", "Largest possible error."), lambda t: t.maximum_error / MICRO),
    (_gauge("estimated_error_seconds", "Estimated error."), lambda t: t.estimated_error / MICRO),
    (_gauge("status", "Status bits of the clock, see adjtimex(2)."), lambda t: t.status),
    (_gauge("loop_time_constant", "Time constant of the phase-locked loop."), lambda t: t.constant),
    (_gauge("tick_seconds", "Seconds between two ticks."), lambda t: t.tick / MICRO),
    (_gauge("pps_frequency_hertz", "Frequency of the pulses per second."), lambda t: t.pps_frequency / PPM),
    (_gauge("pps_jitter_seconds", "Jitter of the pulses per second."), lambda t: t.jitter / _resolution(t)),
    (_gauge("pps_shift_seconds", "Length of an interval of pulses."), lambda t: t.shift),
    (
        _gauge("pps_stability_hertz", "Mean of the latest changes of the pulses' frequency."),
        lambda t: t.stability / PPM,
    ),
    (_counter("pps_jitter_total", "Pulses beyond the limit of jitter."), lambda t: t.jitter_count),
    (_counter("pps_calibration_total", "Intervals of calibration."), lambda t: t.calibration_count),
    (_counter("pps_error_total", "Errors of calibration."), lambda t: t.error_count),
    (_counter("pps_stability_exceeded_total", "Pulses beyond the limit of stability."), lambda t: t.stability_count),
    (_gauge("tai_offset_seconds", "Offset of International Atomic Time."), lambda t: t.tai),
)


class TimeX:
    """Asks the kernel once a scrape."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._singles = Singles([metric for metric, _ in VALUES])

    def collect(self, now: float) -> Iterator[Family]:
        try:
            clock = self._host.calls.adjtimex()
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                self._host.deny("adjtimex(2)", "CAP_SYS_TIME")
            raise NoData(f"adjtimex(2): {error.strerror or error}") from error
        return iter(self._singles.of([float(value(clock)) for _, value in VALUES]))
