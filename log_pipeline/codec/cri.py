"""The CRI log format: `<RFC3339Nano> <stdout|stderr> <tags> <content>`, as containerd and CRI-O write it.

Source: containerd internal/cri/io/logger.go and the kubelet's parser (pkg/kubelet/kuberuntime/logs). Tags are
colon-separated and the first is `P` (a piece, more follows) or `F` (the last or only piece); a line without
tags is whole. RFC3339Nano leaves out trailing zeros, CRI-O writes a numeric zone instead of `Z`. Pure.
"""

import re

from log_pipeline.codec.rfc3339 import unix_seconds
from log_pipeline.codec.runtime_line import RuntimeLine

_LINE = re.compile(
    rb"((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)) (stdout|stderr)"
    rb"(?: ([PF])(?::[^ ]*)?(?= |$))?(?: |$)"
)


def parse_cri(raw: bytes) -> RuntimeLine | None:
    """The parts of a CRI line without its line feed; None when it is not one."""
    match = _LINE.match(raw)
    if match is None:
        return None
    timestamp, second, zone, stream, tag = match.groups()
    if unix_seconds(second.decode(), zone.decode()) is None:
        return None
    return RuntimeLine(timestamp.decode(), stream.decode(), tag == b"P", raw[match.end() :])
