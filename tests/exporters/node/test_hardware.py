"""Sensors, batteries, memory errors, tapes and the other devices below /sys."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.collector import Collector, Family, Malformed, NoData
from exporters.host import Access, Host, Purse
from exporters.node import edac, hwmon, infiniband, powersupplyclass, rapl, tapestats
from exporters.node.edac import Edac
from exporters.node.fibrechannel import FibreChannel
from exporters.node.hwmon import Hwmon
from exporters.node.infiniband import InfiniBand
from exporters.node.nvme import Nvme
from exporters.node.powersupplyclass import PowerSupplyClass
from exporters.node.rapl import Rapl
from exporters.node.tapestats import TapeStats
from exporters.node.thermal_zone import ThermalZone
from exporters.node.watchdog import Watchdog
from exporters.readers.sysfs import REDISCOVERED_SECONDS, number, text
from exporters.testing import FakeMachine, exposed, samples_in, text_of
from tests.exporters.machines import NOW, recorded_machine


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    """A machine without devices."""
    return FakeMachine(tmp_path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> FakeMachine:
    """The recorded machine, to be left as it was found."""
    return recorded_machine(tmp_path_factory.mktemp("recorded"))


def chip(machine: FakeMachine, number: int, files: dict[str, str], device: str = "") -> None:
    """A sensor chip, at a device such as `platform/coretemp.0` or at none."""
    machine.write_all({"uevent": "", **files}, f"sys/class/hwmon/hwmon{number}")
    if device:
        (machine.folder / "sys/devices" / device).mkdir(parents=True, exist_ok=True)
        link = machine.folder / f"sys/class/hwmon/hwmon{number}/device"
        link.symlink_to(machine.folder / "sys/devices" / device)


def partial(collector: Collector) -> tuple[dict[str, float], str]:
    """What a collector publishes, and how it fails at the end."""
    families: list[Family] = []
    try:
        families.extend(collector.collect(NOW))
    except (NoData, Malformed) as problem:
        return samples_in(text_of(families)), str(problem)
    return samples_in(text_of(families)), ""


@pytest.mark.parametrize(
    ("file", "content", "metric", "value"),
    [
        ("temp1_input", "55000\n", 'temp_celsius{chip="hwmon0",sensor="temp1"}', 55),
        ("temp1", "55000\n", 'temp_celsius{chip="hwmon0",sensor="temp1"}', 55),
        ("temp2_crit_alarm", "1000", 'temp_crit_alarm_celsius{chip="hwmon0",sensor="temp2"}', 1),
        ("temp1_alarm", "1", 'temp_alarm{chip="hwmon0",sensor="temp1"}', 1),
        ("temp1_type", "4", 'temp_type{chip="hwmon0",sensor="temp1"}', 4),
        ("temp1_beep", "1", 'temp_beep_enabled{chip="hwmon0",sensor="temp1"}', 1),
        ("temp1_input", "-3000", 'temp_celsius{chip="hwmon0",sensor="temp1"}', -3),
        ("in0_input", "1500", 'in_volts{chip="hwmon0",sensor="in0"}', 1.5),
        ("cpu0_vid", "1300", 'cpu_vid_volts{chip="hwmon0",sensor="cpu0"}', 1.3),
        ("curr1_max", "2500", 'curr_max_amps{chip="hwmon0",sensor="curr1"}', 2.5),
        ("power1_average", "7000000", 'power_average_watt{chip="hwmon0",sensor="power1"}', 7),
        ("power1_average_interval", "500", 'power_average_interval_seconds{chip="hwmon0",sensor="power1"}', 0.5),
        ("power1_accuracy", "20000", 'power_accuracy{chip="hwmon0",sensor="power1"}', 0.02),
        ("energy1_input", "3000000", 'energy_joule_total{chip="hwmon0",sensor="energy1"}', 3),
        ("humidity1_input", "500000", 'humidity{chip="hwmon0",sensor="humidity1"}', 0.5),
        ("fan1_input", "900", 'fan_rpm{chip="hwmon0",sensor="fan1"}', 900),
        ("fan1_div", "8", 'fan_div{chip="hwmon0",sensor="fan1"}', 8),
        ("pwm1", "128", 'pwm{chip="hwmon0",sensor="pwm1"}', 128),
        ("pwm1_auto_point1_temp", "3", 'pwm_auto_point1_temp{chip="hwmon0",sensor="pwm1"}', 3),
        ("intrusion0_alarm", "1", 'intrusion_alarm{chip="hwmon0",sensor="intrusion0"}', 1),
        ("vrm", "90", 'voltage_regulator_version{chip="hwmon0",sensor="vrm0"}', 90),
        ("update_interval", "1000", 'update_interval_seconds{chip="hwmon0",sensor="update_interval0"}', 1),
        ("beep_enable", "1", 'beep_enabled{chip="hwmon0",sensor="beep_enable0"}', 1),
    ],
)
def test_a_sensor_file_gives_a_metric_in_base_units(
    machine: FakeMachine, file: str, content: str, metric: str, value: float
) -> None:
    """Volts, degrees, watts and ratios, under node_exporter's names."""
    chip(machine, 0, {file: content})
    assert samples_in(exposed(Hwmon(machine.host))) == {f"node_hwmon_{metric}": value}


@pytest.mark.parametrize("file", ["temp1_label", "freq1_input", "temp", "uevent", "name_temp1", "tempx1_input", "in"])
def test_what_is_no_sensor_gives_no_value(machine: FakeMachine, file: str) -> None:
    """Labels, frequencies that have none, and files of other kinds."""
    chip(machine, 0, {file: "x"})
    assert [name for name in samples_in(exposed(Hwmon(machine.host))) if "label" not in name] == []


def test_a_frequency_goes_by_its_label(machine: FakeMachine) -> None:
    """A graphics card's clocks: the label takes the sensor's place."""
    chip(machine, 0, {"freq1_input": "214000000", "freq1_label": "SCLK\n"})
    assert samples_in(exposed(Hwmon(machine.host))) == {
        'node_hwmon_freq_freq_mhz{chip="hwmon0",sensor="sclk"}': 214,
        'node_hwmon_sensor_label{chip="hwmon0",sensor="freq1",label="SCLK"}': 1,
    }


@pytest.mark.parametrize(
    ("chips", "labels"),
    [
        ([("coretemp", "platform/coretemp.0")], ["platform_coretemp_0"]),
        ([("acpitz", "")], ["acpitz"]),
        ([("", "")], ["hwmon0"]),
        ([("a", "platform/asus"), ("b", "platform/asus")], ["platform_asus_a", "platform_asus_b"]),
        ([("a", "platform/asus"), ("a", "platform/asus")], ["platform_asus_hwmon0", "platform_asus_hwmon1"]),
        ([("a", "platform/asus"), ("", "platform/asus")], ["platform_asus_a", "platform_asus_hwmon1"]),
    ],
)
def test_a_chip_is_called_by_its_place(machine: FakeMachine, chips: list[tuple[str, str]], labels: list[str]) -> None:
    """Bus and device, else the driver, else the number; chips of one device are told apart."""
    for index, (driver, device) in enumerate(chips):
        chip(machine, index, {"temp1_input": "1000", **({"name": f"{driver}\n"} if driver else {})}, device)
    names = samples_in(exposed(Hwmon(machine.host)))
    assert [re.findall('chip="(.*?)"', name)[0] for name in names if "celsius" in name] == labels


def test_chips_and_sensors_can_be_chosen(machine: FakeMachine) -> None:
    """A sensor is named together with its chip; to include and to exclude may be combined, as in node_exporter."""
    for index, driver in enumerate(("one", "two", "three")):
        chip(machine, index, {"name": driver, "temp1_input": "1000", "temp2_input": "2000"})
    options = hwmon.Options(re.compile("^t"), re.compile("three"), None, re.compile("two;temp2"))
    assert samples_in(exposed(Hwmon(machine.host, options))) == {
        'node_hwmon_chip_names{chip="two",chip_name="two"}': 1,
        'node_hwmon_temp_celsius{chip="two",sensor="temp1"}': 1,
    }


def test_an_empty_pattern_stands_for_none(machine: FakeMachine) -> None:
    """`--collector.hwmon.chip-exclude=` takes the flag back."""
    chip(machine, 0, {"temp1_input": "1000"})
    options = hwmon.Options(re.compile(""), re.compile(""), re.compile(""), re.compile(""))
    assert "temp1" in exposed(Hwmon(machine.host, options))


def test_chips_come_and_go(machine: FakeMachine) -> None:
    """A change of the folder is seen at once; files of a chip that went are closed."""
    access = Access(Purse(100))
    chip(machine, 0, {"temp1_input": "1000"})
    collector = Hwmon(Host(machine.roots, access=access))
    assert "hwmon0" in exposed(collector)
    chip(machine, 1, {"temp1_input": "1000", "temp2_input": "1000"})
    assert "hwmon1" in exposed(collector)
    assert access.purse.left == 97
    machine.remove("sys/class/hwmon/hwmon1")
    assert "hwmon1" not in exposed(collector)
    assert access.purse.left == 99


def test_attributes_that_a_driver_adds_late_are_found(machine: FakeMachine) -> None:
    """Within some minutes."""
    chip(machine, 0, {"temp1_input": "1000"})
    collector = Hwmon(machine.host)
    exposed(collector, NOW)
    chip(machine, 0, {"temp2_input": "1000"})
    assert "temp2" in exposed(collector, NOW + REDISCOVERED_SECONDS)


def test_a_sensor_that_fails_has_no_sample_until_it_works(machine: FakeMachine) -> None:
    """Other sensors of the chip are not touched by it."""
    chip(machine, 0, {"temp1_input": "1000", "temp2_input": ""})
    collector = Hwmon(machine.host)
    assert "temp2" not in exposed(collector)
    machine.write("sys/class/hwmon/hwmon0/temp2_input", "2000\n")
    assert len(samples_in(exposed(collector))) == 2


def test_a_zone_that_is_off_has_no_temperature(machine: FakeMachine) -> None:
    """Not 0 °C; and a cooling device may stand at -1."""
    machine.write_all({"type": "x86\n", "temp": "49925\n"}, "sys/class/thermal/thermal_zone0")
    machine.write_all({"type": "iwlwifi\n"}, "sys/class/thermal/thermal_zone1")
    cooler = {"type": "clamp\n", "cur_state": "-1\n", "max_state": "27\n"}
    machine.write_all(cooler, "sys/class/thermal/cooling_device3")
    assert samples_in(exposed(ThermalZone(machine.host))) == {
        'node_thermal_zone_temp{zone="0",type="x86"}': 49.925,
        'node_cooling_device_cur_state{name="3",type="clamp"}': -1,
        'node_cooling_device_max_state{name="3",type="clamp"}': 27,
    }


@pytest.mark.parametrize("collector", [ThermalZone, Edac])
def test_to_have_none_of_them_is_no_failure(machine: FakeMachine, collector: Callable[[Host], Collector]) -> None:
    """As in node_exporter, which reports success."""
    assert exposed(collector(machine.host)) == ""


def test_a_battery_is_published_in_base_units(machine: FakeMachine) -> None:
    """Millionths and tenths become whole units, texts become labels; only what the driver offers is there."""
    battery = {"cycle_count": "7", "voltage_now": "11660000", "temp": "251", "status": "Full", "uevent": "A=B"}
    machine.write_all(battery, "sys/class/power_supply/BAT0")
    machine.write("sys/class/power_supply/USB/online", "1")
    options = powersupplyclass.Options(re.compile("^USB$"))
    samples = samples_in(exposed(PowerSupplyClass(machine.host, options)))
    assert 'status="Full"' in next(name for name in samples if "info" in name)
    assert {name: value for name, value in samples.items() if "info" not in name} == {
        'node_power_supply_cyclecount{power_supply="BAT0"}': 7,
        'node_power_supply_voltage_volt{power_supply="BAT0"}': 11.66,
        'node_power_supply_temp_celsius{power_supply="BAT0"}': 25.1,
    }


def test_zones_of_one_name_are_numbered(machine: FakeMachine) -> None:
    """By the number in the name, else by how many came before; what counts no energy is no zone."""
    for folder, name in (("r:0", "package-0"), ("r:0:0", "core"), ("r:1", "package-1"), ("r:1:0", "core")):
        machine.write_all({"name": name, "energy_uj": "5000000"}, f"sys/class/powercap/{folder}")
    machine.write("sys/class/powercap/dtpm/name", "soc")
    powercap = f"{machine.roots.sysfs}/class/powercap"
    assert samples_in(exposed(Rapl(machine.host))) == {
        f'node_rapl_package_joules_total{{index="0",path="{powercap}/r:0"}}': 5,
        f'node_rapl_package_joules_total{{index="1",path="{powercap}/r:1"}}': 5,
        f'node_rapl_core_joules_total{{index="0",path="{powercap}/r:0:0"}}': 5,
        f'node_rapl_core_joules_total{{index="1",path="{powercap}/r:1:0"}}': 5,
    }
    labelled = samples_in(exposed(Rapl(machine.host, rapl.Options(enable_zone_label=True))))
    assert f'node_rapl_joules_total{{index="1",path="{powercap}/r:1:0",rapl_zone="core"}}' in labelled


def test_watchdogs_differ_in_what_they_offer(machine: FakeMachine) -> None:
    """A number that is not there has no sample, a text that is not there is empty."""
    machine.write_all({"identity": "soft", "timeout": "60"}, "sys/class/watchdog/watchdog0")
    info = 'name="watchdog0",options="",identity="soft",state="",status="",pretimeout_governor=""'
    assert samples_in(exposed(Watchdog(machine.host))) == {
        'node_watchdog_timeout_seconds{name="watchdog0"}': 60,
        f"node_watchdog_info{{{info}}}": 1,
    }


def test_a_kernel_that_does_not_tell_the_use_of_a_namespace(machine: FakeMachine) -> None:
    """Before Linux 6.8 there is no `nuse`: all else is published, where node_exporter publishes nothing."""
    machine.write_all({"model": "SSD\n", "nvme0n1/size": "100", "nvme0c0n1/size": "1"}, "sys/class/nvme/nvme0")
    machine.write("sys/class/nvme/nvme0/nvme0n1/queue/logical_block_size", "512\n")
    assert samples_in(exposed(Nvme(machine.host))) == {
        'node_nvme_info{device="nvme0",firmware_revision="",model="SSD",serial="",state="",cntlid=""}': 1,
        'node_nvme_namespace_info{device="nvme0",nsid="1",ana_state="unknown"}': 1,
        'node_nvme_namespace_logical_block_size_bytes{device="nvme0",nsid="1"}': 512,
        'node_nvme_namespace_capacity_bytes{device="nvme0",nsid="1"}': 51200,
        'node_nvme_namespace_size_bytes{device="nvme0",nsid="1"}': 51200,
    }


def port(machine: FakeMachine, device: str, **files: str) -> None:
    """A port of an adapter, with further files below `counters` and the like."""
    usual = {"state": "4: ACTIVE\n", "phys_state": "5: LinkUp\n", "rate": "2.5 Gb/sec (1X SDR)\n"}
    machine.write_all({**usual, **files}, f"sys/class/infiniband/{device}/ports/1")


def test_a_port_has_a_state_a_rate_and_counters(machine: FakeMachine) -> None:
    """Data counts in words, the lifespan in whole seconds; `N/A` is no count and no failure."""
    own = {"counters/port_rcv_data": "5", "counters/link_downed": "N/A (no PMA)", "hw_counters/lifespan": "10500"}
    port(machine, "mlx5_0", **own)
    labels = '{device="mlx5_0",port="1"}'
    assert samples_in(exposed(InfiniBand(machine.host))) == {
        'node_infiniband_info{device="mlx5_0",board_id="",firmware_version="",hca_type=""}': 1,
        f"node_infiniband_state_id{labels}": 4,
        f"node_infiniband_physical_state_id{labels}": 5,
        f"node_infiniband_rate_bytes_per_second{labels}": 312_500_000,
        f"node_infiniband_lifespan_seconds{labels}": 10,
        f"node_infiniband_port_data_received_bytes_total{labels}": 20,
    }


def test_adapters_can_be_chosen(machine: FakeMachine) -> None:
    """By a pattern that matches anywhere in the name."""
    port(machine, "mlx5_0")
    port(machine, "i40iw0")
    assert "mlx5_0" not in exposed(InfiniBand(machine.host, infiniband.Options(device_include=re.compile("40"))))
    assert "i40iw0" not in exposed(InfiniBand(machine.host, infiniband.Options(device_exclude=re.compile("40"))))


def test_what_an_adapter_does_not_count_is_absent(machine: FakeMachine) -> None:
    """All bits set stand for that; names are shown without `0x`."""
    files = {"port_name": "0x1000e0", "port_id": "0x", "statistics/tx_frames": "0x10"}
    machine.write_all({**files, "statistics/rx_frames": "0xffffffffffffffff"}, "sys/class/fc_host/host0")
    samples = samples_in(exposed(FibreChannel(machine.host)))
    (info,) = [name for name in samples if "info" in name]
    assert 'port_name="1000e0"' in info
    assert 'port_id="0x"' in info
    assert samples == {info: 1, 'node_fibrechannel_tx_frames_total{fc_host="host0"}': 16}


def test_a_drive_is_published_under_one_of_its_names(machine: FakeMachine) -> None:
    """Not once for each density; and not at all if it is ignored."""
    for name in ("st0", "st0a", "nst0", "st1"):
        machine.write_all({"read_ns": "1500000000", "in_flight": "1"}, f"sys/class/scsi_tape/{name}/stats")
    options = tapestats.Options(re.compile("1"))
    assert samples_in(exposed(TapeStats(machine.host, options))) == {
        'node_tape_read_time_seconds_total{device="st0"}': 1.5,
        'node_tape_io_now{device="st0"}': 1,
    }


@pytest.mark.parametrize(
    ("collector", "file", "content"),
    [
        (Edac, "devices/system/edac/mc/mc0/ue_count", ""),
        (Edac, "devices/system/edac/mc/mc0/csrow1/ce_count", "-1"),
        (PowerSupplyClass, "class/power_supply/BAT0/voltage_now", "much"),
        (Rapl, "class/powercap/intel-rapl:0/energy_uj", "x"),
        (Watchdog, "class/watchdog/watchdog0/timeout", "soon"),
        (InfiniBand, "class/infiniband/mlx4_0/ports/1/state", "ACTIVE"),
        (InfiniBand, "class/infiniband/mlx4_0/ports/1/rate", "fast"),
        (InfiniBand, "class/infiniband/mlx4_0/ports/1/counters/link_downed", "-"),
        (FibreChannel, "class/fc_host/host0/statistics/tx_words", "0xg"),
        (TapeStats, "class/scsi_tape/st0/stats/read_ns", "1.5"),
        (ThermalZone, "class/thermal/thermal_zone0/temp", "9" * 30),
    ],
)
def test_one_broken_file_costs_its_own_samples(
    recorded: FakeMachine, collector: Callable[[Host], Collector], file: str, content: str
) -> None:
    """The failure names the file and the line; all else is published."""
    whole, failure = partial(collector(recorded.host))
    assert not failure
    before = (recorded.folder / "sys" / file).read_bytes()
    recorded.write(f"sys/{file}", content)
    rest, failure = partial(collector(recorded.host))
    recorded.write(f"sys/{file}", before)
    assert f"{recorded.roots.sysfs}/{file}:1: expected" in failure
    assert 1 <= len(whole.keys() - rest.keys()) <= 3
    assert all(whole[name] == value for name, value in rest.items())


def test_a_count_that_is_missing_is_a_failure(machine: FakeMachine) -> None:
    """Of memory errors, since its absence would look like health."""
    machine.write_all(dict.fromkeys(("ue_count", "ce_noinfo_count", "ue_noinfo_count"), "0"), f"sys/{edac.FOLDER}/mc0")
    samples, failure = partial(Edac(machine.host))
    assert failure.endswith("mc0/ce_count: No such file or directory")
    assert 'node_edac_uncorrectable_errors_total{controller="0"}' in samples


@pytest.mark.parametrize(
    "collector", [Hwmon, PowerSupplyClass, Rapl, Watchdog, Nvme, InfiniBand, FibreChannel, TapeStats]
)
def test_a_kernel_without_such_devices_is_no_failure(
    machine: FakeMachine, collector: Callable[[Host], Collector]
) -> None:
    """The reason names the folder that is not there."""
    with pytest.raises(NoData, match="sys/class/"):
        exposed(collector(machine.host))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"12\n", 12),
        (b"-1\n", -1),
        (b"0x10\n", 16),
        (b"0xffffffffffffffff\n", (1 << 64) - 1),
        (b"", None),
        (b"x", None),
        (b"1.5", None),
        (b"0x", None),
        (b"\xff", None),
        (b"9" * 30, None),
        (b"9" * 5000, None),
    ],
)
def test_an_attribute_is_a_number_of_64_bits_or_none(content: bytes, value: int | None) -> None:
    """Decimal or hexadecimal."""
    assert number(content) == value


def test_bytes_that_are_no_text_are_shown_as_one_mark() -> None:
    """As node_exporter shows them; what is a mark already stays."""
    assert text(b" LNV\xff\xfe1 \n") == "LNV\N{REPLACEMENT CHARACTER}1"
    assert text("\N{REPLACEMENT CHARACTER}".encode() * 2) == "\N{REPLACEMENT CHARACTER}" * 2
