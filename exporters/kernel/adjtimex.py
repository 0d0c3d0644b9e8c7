"""The kernel's clock discipline, by adjtimex(2) with `modes = 0`, which reads and changes nothing.

Layout: `struct timex` of linux/timex.h, adjtimex(2). Loads ctypes, some 0.4 MiB, so that it is imported only where
the collector timex runs.
"""

import ctypes
import operator
import os


class _Struct(ctypes.Structure):
    """`struct timex`; the kernel keeps eleven integers in reserve at its end."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserve", ctypes.c_int * 11),
    )


_adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
_published = operator.attrgetter(
    *("offset", "freq", "maxerror", "esterror", "status", "constant", "tick", "ppsfreq", "jitter", "shift"),
    *("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt", "tai"),
)


def read() -> tuple[int, ...]:
    """The clock's state, then the fields that are published, in the order of `exporters.calls.Timex`.

    Raises OSError: EPERM where a container's seccomp profile refuses the call.
    """
    timex = _Struct()
    state = _adjtimex(ctypes.byref(timex))
    if state < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return (state, *_published(timex))
