"""State, rate and traffic of each port of InfiniBand and RoCE adapters, from /sys/class/infiniband.

Format: Documentation/ABI/stable/sysfs-class-infiniband of the kernel; what `hw_counters` mean is the driver's, NVIDIA's
"Understanding mlx5 Linux Counters" for most. Counts of data stand in units of four bytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from exporters.collector import Family, Labels, Malformed, Metric, NoData, counter, gauge
from exporters.host import Host, KeptFile, Unreadable
from exporters.options import Pattern, option
from exporters.readers.sysfs import Discovery, Gathered, Info, Reading, chosen, count, kept_in, listed

FOLDER = "class/infiniband"
PORT = ("device", "port")

TEXTS = ("board_id", "fw_ver", "hca_type")
INFO = gauge("node_infiniband_info", "What an adapter is.", "device", "board_id", "firmware_version", "hca_type")
STATE = gauge("node_infiniband_state_id", "State of the port; 4 is active.", *PORT)
PHYSICAL_STATE = gauge("node_infiniband_physical_state_id", "State of the link; 5 is up.", *PORT)
RATE = gauge("node_infiniband_rate_bytes_per_second", "Highest rate of the port in bytes a second.", *PORT)
LIFESPAN = gauge("node_infiniband_lifespan_seconds", "Whole seconds for which counts may be old.", *PORT)
GIGABIT = 125_000_000

WORD = 4
"""Bytes in a unit of the counts of data."""


def _counters(names: dict[str, str]) -> dict[str, Metric]:
    """File → metric; the help is the file's name in words, unless there is more to say."""
    return {
        file: counter(f"node_infiniband_{name}_total", f"The port's {file.replace('_', ' ')}.", *PORT)
        for file, name in names.items()
    }


COUNTERS = _counters(
    {
        "excessive_buffer_overrun_errors": "excessive_buffer_overrun_errors",
        "link_downed": "link_downed",
        "link_error_recovery": "link_error_recovery",
        "local_link_integrity_errors": "local_link_integrity_errors",
        "multicast_rcv_packets": "multicast_packets_received",
        "multicast_xmit_packets": "multicast_packets_transmitted",
        "port_rcv_constraint_errors": "port_constraint_errors_received",
        "port_xmit_constraint_errors": "port_constraint_errors_transmitted",
        "port_rcv_data": "port_data_received_bytes",
        "port_xmit_data": "port_data_transmitted_bytes",
        "port_rcv_discards": "port_discards_received",
        "port_xmit_discards": "port_discards_transmitted",
        "port_rcv_errors": "port_errors_received",
        "port_rcv_packets": "port_packets_received",
        "port_xmit_packets": "port_packets_transmitted",
        "port_xmit_wait": "port_transmit_wait",
        "unicast_rcv_packets": "unicast_packets_received",
        "unicast_xmit_packets": "unicast_packets_transmitted",
        "port_rcv_remote_physical_errors": "port_receive_remote_physical_errors",
        "port_rcv_switch_relay_errors": "port_receive_switch_relay_errors",
        "symbol_error": "symbol_error",
        "VL15_dropped": "vl15_dropped",
    }
)
LEGACY_COUNTERS = _counters(  # of kernels before 4.5
    {
        "port_multicast_rcv_packets": "legacy_multicast_packets_received",
        "port_multicast_xmit_packets": "legacy_multicast_packets_transmitted",
        "port_rcv_data_64": "legacy_data_received_bytes",
        "port_rcv_packets_64": "legacy_packets_received",
        "port_unicast_rcv_packets": "legacy_unicast_packets_received",
        "port_unicast_xmit_packets": "legacy_unicast_packets_transmitted",
        "port_xmit_data_64": "legacy_data_transmitted_bytes",
        "port_xmit_packets_64": "legacy_packets_transmitted",
    }
)
IN_WORDS = frozenset({"port_rcv_data", "port_xmit_data", "port_rcv_data_64", "port_xmit_data_64"})
HARDWARE_COUNTERS = _counters(
    {
        "duplicate_request": "duplicate_requests_packets",
        "implied_nak_seq_err": "implied_nak_seq_errors",
        "local_ack_timeout_err": "local_ack_timeout_errors",
        "np_cnp_sent": "np_cnp_packets_sent",
        "np_ecn_marked_roce_packets": "np_ecn_marked_roce_packets_received",
        "out_of_buffer": "out_of_buffer_drops",
        "out_of_sequence": "out_of_sequence_packets_received",
        "packet_seq_err": "packet_sequence_errors",
        "req_cqe_error": "req_cqes_errors",
        "req_cqe_flush_error": "req_cqes_flush_errors",
        "req_remote_access_errors": "req_remote_access_errors",
        "req_remote_invalid_request": "req_remote_invalid_request_errors",
        "resp_cqe_error": "resp_cqes_errors",
        "resp_cqe_flush_error": "resp_cqes_flush_errors",
        "resp_local_length_error": "resp_local_length_errors",
        "resp_remote_access_errors": "resp_remote_access_errors",
        "rnr_nak_retry_err": "rnr_nak_retry_packets_received",
        "roce_adp_retrans": "roce_adp_retransmits",
        "roce_adp_retrans_to": "roce_adp_retransmits_timeout",
        "roce_slow_restart": "roce_slow_restart_used",
        "roce_slow_restart_cnps": "roce_slow_restart_cnps",
        "roce_slow_restart_trans": "roce_slow_restart",
        "rp_cnp_handled": "rp_cnp_packets_handled",
        "rp_cnp_ignored": "rp_cnp_ignored_packets_received",
        "rx_atomic_requests": "rx_atomic_requests",
        "rx_dct_connect": "rx_dct_connect_requests",
        "rx_icrc_encapsulated": "rx_icrc_encapsulated_errors",
        "rx_read_requests": "rx_read_requests",
        "rx_write_requests": "rx_write_requests",
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """Which adapters are published."""

    device_include: Pattern | None = option(None, "Adapters to publish, and no others.")
    device_exclude: Pattern | None = option(None, "Adapters to leave out.")


class _Port(NamedTuple):
    """What every port has, and a driver's own word on how old its counts may be."""

    labels: Labels
    state: KeptFile
    physical_state: KeptFile
    rate: KeptFile
    lifespan: KeptFile | None


class _Found(NamedTuple):
    infos: list[Info]
    ports: list[_Port]
    readings: list[Reading]


class InfiniBand:
    """Reads the counters that each port has."""

    def __init__(self, host: Host, options: Options | None = None) -> None:
        wanted = options if options is not None else Options()
        self._sys = host.sys
        self._adapters = chosen(wanted.device_include, wanted.device_exclude)
        self._found: Discovery[_Found] = Discovery(host.sys, FOLDER)

    def collect(self, now: float) -> Iterator[Family]:
        found = self._found.current(now, self._discover)
        gathered = Gathered()
        gathered.infos(found.infos)
        for port in found.ports:
            try:
                _read(port, gathered)
            except (NoData, Malformed) as problem:
                gathered.fail(problem)
        gathered.numbers(found.readings)
        yield from gathered.families()

    def _discover(self, names: list[str]) -> _Found:
        found = _Found([], [], [])
        for device in filter(self._adapters.keeps, names):
            folder = f"{FOLDER}/{device}"
            files = kept_in(self._sys, folder, TEXTS)
            found.infos.append(Info(INFO, (device,), tuple(map(files.get, TEXTS))))
            for port in listed(self._sys, f"{folder}/ports"):
                self._add(found, (device, port), f"{folder}/ports/{port}")
        return found

    def _add(self, found: _Found, labels: Labels, folder: str) -> None:
        keep = self._sys.keep
        own = kept_in(self._sys, f"{folder}/hw_counters", (*HARDWARE_COUNTERS, "lifespan"))
        found.ports.append(
            _Port(
                labels,
                keep(f"{folder}/state"),
                keep(f"{folder}/phys_state"),
                keep(f"{folder}/rate"),
                own.pop("lifespan", None),
            )
        )
        for place, metrics in (("counters", COUNTERS), ("counters_ext", LEGACY_COUNTERS)):
            files = kept_in(self._sys, f"{folder}/{place}", metrics)
            found.readings.extend(
                Reading(metrics[name], labels, file, WORD if name in IN_WORDS else 1) for name, file in files.items()
            )
        found.readings.extend(Reading(HARDWARE_COUNTERS[name], labels, file) for name, file in own.items())


def _read(port: _Port, gathered: Gathered) -> None:
    """Add what every port has. Raises NoData or Malformed."""
    gathered.add(STATE, port.labels, _state(port.state))
    gathered.add(PHYSICAL_STATE, port.labels, _state(port.physical_state))
    rate = _line(port.rate)
    matched = re.match(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ", rate)
    if matched is None:
        raise Malformed(port.rate.path, 1, "a rate such as `40 Gb/sec (4X QDR)`", rate)
    gathered.add(RATE, port.labels, int(float(matched[1]) * GIGABIT))
    milliseconds = count(port.lifespan.read_record()) if port.lifespan is not None else None
    if milliseconds is not None:
        gathered.add(LIFESPAN, port.labels, milliseconds // 1000)


def _state(file: KeptFile) -> int:
    state = _line(file)
    matched = re.fullmatch(r"([0-9]{1,9}) *:[^:]*", state)
    if matched is None:
        raise Malformed(file.path, 1, "a state such as `4: ACTIVE`", state)
    return int(matched[1])


def _line(file: KeptFile) -> str:
    content = file.read_record()
    if isinstance(content, Unreadable):
        raise NoData(str(content))
    return content.decode(errors="replace").strip()
