"""Fibre Channel ports: what each is, and what it has counted, from /sys/class/fc_host.

Counts stand as `0x…`; all bits set mean that the adapter does not count this. Format: drivers/scsi/scsi_transport_fc.c
and Documentation/scsi/scsi_fc_transport.rst of the kernel.
"""

from collections.abc import Iterator

from exporters.collector import Family, counter, gauge
from exporters.host import Host, KeptFile, Unreadable
from exporters.readers.sysfs import Discovery, Gathered, Reading, kept_in, text

FOLDER = "class/fc_host"
TEXTS = (
    *("speed", "port_state", "port_type", "port_id", "port_name", "fabric_name", "symbolic_name"),
    *("supported_classes", "supported_speeds", "dev_loss_tmo"),
)
HEXADECIMAL = frozenset({"port_id", "port_name", "fabric_name"})
LONGEST_TEXT = 128
"""Bytes of a text that node_exporter reads."""
INFO = gauge("node_fibrechannel_info", "What a Fibre Channel port is, and its state.", "fc_host", *TEXTS)

COUNTS = {
    file: counter(f"node_fibrechannel_{name}_total", help, "fc_host")
    for file, name, help in (
        ("dumped_frames", "dumped_frames", "Frames lost for lack of host resources."),
        ("error_frames", "error_frames", "Frames received with errors."),
        ("fcp_packet_aborts", "fcp_packet_aborts", "Packets aborted."),
        ("invalid_crc_count", "invalid_crc", "Frames with a wrong check sum."),
        ("invalid_tx_word_count", "invalid_tx_words", "Transmission words that were invalid."),
        ("link_failure_count", "link_failure", "Times that the link failed."),
        ("loss_of_signal_count", "loss_of_signal", "Times that the signal was lost."),
        ("loss_of_sync_count", "loss_of_sync", "Times that synchronisation was lost."),
        ("nos_count", "nos", "Not-operational sequences received."),
        ("rx_frames", "rx_frames", "Frames received."),
        ("rx_words", "rx_words", "Words received."),
        ("seconds_since_last_reset", "seconds_since_last_reset", "Seconds since the counts were reset."),
        ("tx_frames", "tx_frames", "Frames sent."),
        ("tx_words", "tx_words", "Words sent."),
    )
}
NOT_COUNTED = (1 << 64) - 1


class FibreChannel:
    """Reads what each port of a host adapter offers; drivers differ in it."""

    def __init__(self, host: Host) -> None:
        self._sys = host.sys
        self._found: Discovery[tuple[list[Reading], dict[str, dict[str, KeptFile]]]] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        readings, texts = self._found.current(now, self._discover)
        gathered = Gathered()
        for port, files in texts.items():
            gathered.add(INFO, (port, *(_shown(name, files.get(name)) for name in TEXTS)))
        gathered.numbers(readings, none=NOT_COUNTED)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> tuple[list[Reading], dict[str, dict[str, KeptFile]]]:
        readings: list[Reading] = []
        texts: dict[str, dict[str, KeptFile]] = {}
        for port in names:
            texts[port] = kept_in(self._sys, f"{FOLDER}/{port}", TEXTS)
            counts = kept_in(self._sys, f"{FOLDER}/{port}/statistics", COUNTS)
            readings += (Reading(COUNTS[name], (port,), file) for name, file in counts.items())
        return readings, texts


def _shown(name: str, file: KeptFile | None) -> str:
    """An attribute as label: numbers without `0x`, and no more of a text than node_exporter shows."""
    content = file.read_record() if file is not None else b""
    if isinstance(content, Unreadable):
        return ""
    shown = text(content[:LONGEST_TEXT]) or ""
    return shown[2:] if name in HEXADECIMAL and len(shown) > len("0x") else shown
