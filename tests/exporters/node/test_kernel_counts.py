"""What is counted for the whole machine: memory, scheduling, interrupts, processes and parameters of the kernel."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.collector import Collector, Malformed, NoData
from exporters.host import Host, Reason, Tree, Unreadable
from exporters.node import interrupts, meminfo, slabinfo, stat, sysctl, vmstat
from exporters.node.buddyinfo import BuddyInfo
from exporters.node.cgroups import CgroupSummary
from exporters.node.entropy import Entropy
from exporters.node.filefd import FileHandles
from exporters.node.interrupts import Interrupts
from exporters.node.kernel_hung import KernelHung
from exporters.node.ksmd import Ksmd
from exporters.node.meminfo import MemInfo
from exporters.node.processes import Processes
from exporters.node.schedstat import SchedStat
from exporters.node.slabinfo import SlabInfo
from exporters.node.softirqs import SoftIrqs
from exporters.node.stat import Stat
from exporters.node.sysctl import Sysctl
from exporters.node.vmstat import VmStat
from exporters.node.zoneinfo import ZoneInfo
from exporters.testing import FakeMachine, exposed, samples_in
from tests.exporters.machines import recorded_machine

HEADING = "           CPU0       CPU1\n"
SLABS = "slabinfo - version: 2.1\n# name <active_objs> <num_objs>\n"
ZONE = "Node 0, zone      DMA\n"


@pytest.mark.parametrize(
    ("collector", "file", "content", "expected"),
    [
        (VmStat, "vmstat", "pgfault 1\npgmajfault\n", "vmstat:2: expected `name number`, got 'pgmajfault'"),
        (VmStat, "vmstat", "pgfault x\n", "vmstat:1: expected"),
        (VmStat, "vmstat", "pgfault -1\n", "vmstat:1: expected"),
        (VmStat, "vmstat", f"pgfault {1 << 64}\n", "vmstat:1: expected"),
        (VmStat, "vmstat", "", "vmstat: expected lines such as"),
        (MemInfo, "meminfo", "MemTotal: 1 kB\nMemFree: 1 MB\n", r"meminfo:2: expected `Name: number \[kB\]`"),
        (Stat, "stat", "ctxt -1\n", "stat:1: expected a number after ctxt"),
        (Stat, "stat", "ctxt\n", "stat:1: expected a number after ctxt"),
        (SchedStat, "schedstat", "version 15\ncpu0 1 2 3\n", "schedstat: expected a line for each CPU"),
        (SchedStat, "schedstat", f"cpu0 0 0 0 0 0 0 {1 << 64} 0 0\n", "schedstat:1: expected nine numbers"),
        (FileHandles, "sys/fs/file-nr", "593\t0\n", "file-nr:1: expected three numbers"),
        (Entropy, "sys/kernel/random/entropy_avail", "much\n", "entropy_avail:1: expected a whole number"),
        (KernelHung, "sys/kernel/hung_task_detect_count", "-1\n", "detect_count:1: expected a whole number"),
        (Interrupts, "interrupts", "", "interrupts:1: expected a heading"),
        (Interrupts, "interrupts", HEADING + " 1: 1 x IO-APIC 1-edge i8042\n", "interrupts:2: expected 2 numbers"),
        (SoftIrqs, "softirqs", "CPU0 CPU0\nHI: 1 2\n", "softirqs:1: expected a heading such as"),
        (SoftIrqs, "softirqs", HEADING + "HI: 1\n", "softirqs:2: expected a vector and 2 numbers"),
        (ZoneInfo, "zoneinfo", "", "zoneinfo: expected lines of zones"),
        (ZoneInfo, "zoneinfo", "Node 0\n", "zoneinfo:1: expected `Node <n>, zone <name>`"),
        (ZoneInfo, "zoneinfo", ZONE + "        min      x\n", "zoneinfo:2: expected numbers after min"),
        (BuddyInfo, "buddyinfo", "", "buddyinfo: expected a line for each zone"),
        (BuddyInfo, "buddyinfo", "Node 0, zone\n", "buddyinfo:1: expected `Node <n>, zone <name>` and numbers"),
        (BuddyInfo, "buddyinfo", "Node 0, zone A 1 2\nNode 0, zone B 1\n", "buddyinfo:2: expected 2 numbers"),
        (SlabInfo, "slabinfo", "", "slabinfo: expected a line for each cache"),
        (SlabInfo, "slabinfo", SLABS + "kmalloc-64 1 2 3 4\n", "slabinfo:3: expected a name and five numbers"),
        (CgroupSummary, "cgroups", "", "cgroups: expected a line for each controller"),
        (CgroupSummary, "cgroups", "cpu 1 x 1\n", "cgroups:1: expected a controller and three numbers"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, collector: Callable[[Host], Collector], file: str, content: str, expected: str
) -> None:
    """File, line, what was expected and what stands there."""
    machine = FakeMachine(tmp_path)
    machine.write(f"proc/{file}", content)
    with pytest.raises(Malformed, match=expected):
        exposed(collector(machine.host))


@pytest.mark.parametrize(
    "collector",
    [
        VmStat,
        MemInfo,
        Stat,
        SchedStat,
        FileHandles,
        Entropy,
        KernelHung,
        Interrupts,
        SoftIrqs,
        ZoneInfo,
        BuddyInfo,
        SlabInfo,
        CgroupSummary,
        Ksmd,
        Processes,
    ],
)
def test_a_machine_without_the_file_is_no_error(tmp_path: Path, collector: Callable[[Host], Collector]) -> None:
    """NoData names what is not there."""
    with pytest.raises(NoData, match=str(tmp_path)):
        exposed(collector(FakeMachine(tmp_path).host))


def test_memory_fields_beyond_node_exporters_are_asked_for(tmp_path: Path) -> None:
    """A field that node_exporter 1.12 does not know is published on demand, as up to 1.8."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/meminfo", "MemTotal: 2 kB\nSecPageTables: 1 kB\n")
    assert samples_in(exposed(MemInfo(machine.host))) == {"node_memory_MemTotal_bytes": 2048}
    assert samples_in(exposed(MemInfo(machine.host, meminfo.Options(all_fields=True)))) == {
        "node_memory_MemTotal_bytes": 2048,
        "node_memory_SecPageTables_bytes": 1024,
    }


def test_fields_may_come_and_go(tmp_path: Path) -> None:
    """What was learnt of a file's lines is learnt anew when their names change; a name that comes twice counts once."""
    machine = FakeMachine(tmp_path)
    collector = VmStat(machine.host)
    for content, expected in (
        ("pgfault 1\npgmajfault 2\n", {"node_vmstat_pgfault": 1, "node_vmstat_pgmajfault": 2}),
        ("nr_dirty 9\npgfault 3\n", {"node_vmstat_pgfault": 3}),
        ("pgfault 4\npgfault 5\n", {"node_vmstat_pgfault": 4}),
    ):
        machine.write("proc/vmstat", content)
        assert samples_in(exposed(collector)) == expected


def test_fields_of_a_vendors_kernel_cost_the_others_nothing(tmp_path: Path) -> None:
    """A name that can't be part of a metric's is passed over, also where every field is asked for."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/meminfo", "MemTotal: 2 kB\nION-heap: 7 kB\nDMA32(free+cache): 1 kB\n3rd: 4\n")
    machine.write("proc/vmstat", "vma.lock 3\npgfault 5\npgfault-x 6\n")
    everything = MemInfo(machine.host, meminfo.Options(all_fields=True))
    assert samples_in(exposed(MemInfo(machine.host))) == {"node_memory_MemTotal_bytes": 2048}
    assert samples_in(exposed(everything)) == {"node_memory_MemTotal_bytes": 2048, "node_memory_3rd": 4}
    assert samples_in(exposed(VmStat(machine.host, vmstat.Options(re.compile(""))))) == {"node_vmstat_pgfault": 5}


def test_numbers_that_move_are_told_and_so_are_the_others(tmp_path: Path) -> None:
    """What was published of a number that stays is published again."""
    machine = FakeMachine(tmp_path)
    collector = MemInfo(machine.host)
    for free, cached in ((1, 2), (3, 2), (3, 0)):
        machine.write("proc/meminfo", f"MemFree: {free} kB\nCached: {cached} kB\n")
        assert samples_in(exposed(collector)) == {
            "node_memory_MemFree_bytes": free * 1024,
            "node_memory_Cached_bytes": cached * 1024,
        }


def test_fields_of_virtual_memory_are_chosen_and_have_no_type(tmp_path: Path) -> None:
    """A pattern chooses; one that fits no field is no error."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/vmstat", "nr_dirty 9\npgfault 3\n")
    text = exposed(VmStat(machine.host, vmstat.Options(re.compile("dirty"))))
    assert text.endswith("# TYPE node_vmstat_nr_dirty untyped\nnode_vmstat_nr_dirty 9\n")
    assert exposed(VmStat(machine.host, vmstat.Options(re.compile("no such")))) == ""


def test_software_interrupts_of_the_machine_are_asked_for(tmp_path: Path) -> None:
    """They follow the total on their line; a line with fewer is broken."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", "ctxt 5\nsoftirq 55 1 2 3 4 5 6 7 8 9 10\n")
    assert samples_in(exposed(Stat(machine.host))) == {"node_context_switches_total": 5}
    chosen = Stat(machine.host, stat.Options(softirq=True))
    samples = samples_in(exposed(chosen))
    assert samples['node_softirqs_total{vector="hi"}'] == 1
    assert samples['node_softirqs_total{vector="rcu"}'] == 10
    machine.write("proc/stat", "ctxt 5\nsoftirq 55 1 2\n")
    with pytest.raises(Malformed, match="stat:2: expected a total and 10 numbers"):
        exposed(chosen)


def test_a_line_of_interrupts_may_be_longer_than_a_reading(tmp_path: Path) -> None:
    """A host with many devices has more than 64 KiB of them; what follows is found at each scrape."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/stat", f"cpu0 1 2 3 4\nintr 5{' 0' * 60_000}\nctxt 7\n")
    collector = Stat(machine.host)
    for _ in range(2):
        assert samples_in(exposed(collector)) == {"node_intr_total": 5, "node_context_switches_total": 7}


def test_scheduling_is_in_seconds_and_domains_are_passed_over(tmp_path: Path) -> None:
    """The last three of a CPU's nine numbers are nanoseconds of running, of waiting, and slices."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/schedstat", "version 15\ncpu3 0 0 0 0 0 0 1500000000 500000000 7\ndomain0 03 1 2 3\n")
    assert samples_in(exposed(SchedStat(machine.host))) == {
        'node_schedstat_running_seconds_total{cpu="3"}': 1.5,
        'node_schedstat_waiting_seconds_total{cpu="3"}': 0.5,
        'node_schedstat_timeslices_total{cpu="3"}': 7,
    }


INTERRUPTS = """\
           CPU0       CPU2
 24:          1          0  IO-APIC   5-edge      ttyS0, usb1
LOC:          7          0   Local timer interrupts
ERR:          0
"""


def test_interrupts_carry_the_cpus_of_the_heading(tmp_path: Path) -> None:
    """A CPU that is offline leaves a gap. A numbered interrupt has devices, a named one has not, ERR is left out."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/interrupts", INTERRUPTS)
    assert samples_in(exposed(Interrupts(machine.host))) == {
        'node_interrupts_total{cpu="0",type="24",info="IO-APIC",devices="5-edge ttyS0, usb1"}': 1,
        'node_interrupts_total{cpu="2",type="24",info="IO-APIC",devices="5-edge ttyS0, usb1"}': 0,
        'node_interrupts_total{cpu="0",type="LOC",info="Local timer interrupts",devices=""}': 7,
        'node_interrupts_total{cpu="2",type="LOC",info="Local timer interrupts",devices=""}': 0,
    }


def test_interrupts_follow_their_file(tmp_path: Path) -> None:
    """A line that stays is published again, one that changes anew; another CPU changes them all."""
    machine = FakeMachine(tmp_path)
    collector = Interrupts(machine.host)
    machine.write("proc/interrupts", "CPU0\n1: 5 A B\n2: 6 A B\n")
    assert list(samples_in(exposed(collector)).values()) == [5, 6]
    machine.write("proc/interrupts", "CPU0\n1: 5 A B\n2: 7 A B\n")
    assert list(samples_in(exposed(collector)).values()) == [5, 7]
    machine.write("proc/interrupts", "CPU1\n1: 5 A B\n")
    assert samples_in(exposed(collector)) == {'node_interrupts_total{cpu="1",type="1",info="A",devices="B"}': 5}


@pytest.mark.parametrize(
    ("options", "published"),
    [
        (interrupts.Options(name_include=re.compile("^24;")), 2),
        (interrupts.Options(name_exclude=re.compile("timer")), 2),
        (interrupts.Options(name_exclude=re.compile("")), 4),
        (interrupts.Options(name_include=re.compile(";"), name_exclude=re.compile("ttyS0")), 2),
        (interrupts.Options(include_zeros=False), 2),
    ],
)
def test_interrupts_can_be_left_out(tmp_path: Path, options: interrupts.Options, published: int) -> None:
    """By `type;info;devices`, and those that never came."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/interrupts", INTERRUPTS)
    assert len(samples_in(exposed(Interrupts(machine.host, options)))) == published


def test_interrupts_of_arm_need_no_space_after_the_name(tmp_path: Path) -> None:
    """Large counts fill the whole column there."""
    machine = recorded_machine(tmp_path)
    machine.write("proc/interrupts", (tmp_path / "proc/interrupts_aarch64").read_bytes())
    samples = samples_in(exposed(Interrupts(machine.host)))
    timer = 'type="10",info="GICv3",devices="27 Level arch_timer"'
    assert samples[f'node_interrupts_total{{cpu="0",{timer}}}'] == 3287008667
    assert samples['node_interrupts_total{cpu="7",type="IPI0",info="Rescheduling interrupts",devices=""}'] > 0


def test_what_zoneinfo_says_of_cpus_is_passed_over(tmp_path: Path) -> None:
    """The pages of a CPU's own lists are not those of the zone."""
    machine = FakeMachine(tmp_path)
    cpus = "  pagesets\n    cpu: 0\n              high 99\n  start_pfn:           1\n"
    protected = "        protection: (0, 3019)\n"
    machine.write("proc/zoneinfo", f"{ZONE}        high     50\n{protected}      numa_hit 7\n{cpus}")
    assert samples_in(exposed(ZoneInfo(machine.host))) == {
        'node_zoneinfo_high_pages{node="0",zone="DMA"}': 50,
        'node_zoneinfo_protection_0{node="0",zone="DMA"}': 0,
        'node_zoneinfo_protection_1{node="0",zone="DMA"}': 3019,
        'node_zoneinfo_numa_hit_total{node="0",zone="DMA"}': 7,
    }


@pytest.mark.parametrize(
    ("options", "published"),
    [
        (slabinfo.Options(), {"a cache", "kmalloc-64"}),
        (slabinfo.Options(slabs_include=re.compile("malloc")), {"kmalloc-64"}),
        (slabinfo.Options(slabs_exclude=re.compile("^k")), {"a cache"}),
    ],
)
def test_caches_are_chosen_by_name(tmp_path: Path, options: slabinfo.Options, published: set[str]) -> None:
    """A name may hold spaces, and come twice."""
    machine = FakeMachine(tmp_path)
    rest = "1 2 64 4 5 : tunables 0 0 0 : slabdata 1 1 0"
    machine.write("proc/slabinfo", f"{SLABS}a cache {rest}\nkmalloc-64 {rest}\nkmalloc-64 {rest}\n")
    samples = samples_in(exposed(SlabInfo(machine.host, options)))
    assert {re.sub('.*slab="(.*)".*', r"\1", name) for name in samples} == published
    assert len(samples) == 5 * len(published)


def test_a_kernel_without_numa_merges_pages_too(tmp_path: Path) -> None:
    """Files that it lacks are left out; milliseconds become seconds."""
    machine = FakeMachine(tmp_path)
    machine.write_all({"full_scans": "3\n", "sleep_millisecs": "20\n"}, "sys/kernel/mm/ksm")
    assert samples_in(exposed(Ksmd(machine.host))) == {"node_ksmd_full_scans_total": 3, "node_ksmd_sleep_seconds": 0.02}


STATUS = "{pid} ({name}) {state} 1 1 1 0 -1 4194560 9 9 9 2 36 98 54 13 20 0 {threads} 0 29 10 2\n"


def crowd(folder: Path) -> FakeMachine:
    """A machine with a sleeper, a zombie, and a worker of three threads one of which ended this moment."""
    machine = FakeMachine(folder)
    machine.write_all({"sys/kernel/threads-max": "7801\n", "sys/kernel/pid_max": "123\n", "loadavg": "0\n"}, "proc")
    machine.write("proc/1/stat", STATUS.format(pid=1, name="init", state="S", threads=1))
    machine.write("proc/7/stat", STATUS.format(pid=7, name="a) R (b", state="Z", threads=1))
    machine.write("proc/20/stat", STATUS.format(pid=20, name="worker", state="S", threads=3))
    machine.write("proc/20/task/20/stat", "not read: the process says the same")
    machine.write("proc/20/task/21/stat", STATUS.format(pid=21, name="worker", state="R", threads=3))
    (folder / "proc/20/task/22").mkdir()
    (folder / "proc/30").mkdir()
    return machine


def test_processes_and_threads_are_counted_by_state(tmp_path: Path) -> None:
    """What ends while it is asked is not counted; a name can't be taken for a state."""
    assert samples_in(exposed(Processes(crowd(tmp_path).host))) == {
        "node_processes_threads": 5,
        'node_processes_state{state="S"}': 2,
        'node_processes_state{state="Z"}': 1,
        'node_processes_threads_state{thread_state="R"}': 1,
        'node_processes_threads_state{thread_state="S"}': 2,
        'node_processes_threads_state{thread_state="Z"}': 1,
        "node_processes_pids": 3,
        "node_processes_max_threads": 7801,
        "node_processes_max_processes": 123,
    }


def test_a_process_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    """With its file and what stands there."""
    machine = crowd(tmp_path)
    machine.write("proc/7/stat", "7 (short) Z 1\n")
    with pytest.raises(Malformed, match=r"proc/7/stat:1: expected `<pid> .*, got '7 \(short\) Z"):
        exposed(Processes(machine.host))


class Hidden(Tree):
    """Another user's /proc under `hidepid=1`: processes are listed, and nothing of them can be read."""

    def read(self, relative: str) -> bytes | Unreadable:
        return Unreadable(self.path(relative), Reason.NOT_PERMITTED, "Operation not permitted")


def test_processes_that_are_hidden_are_not_miscounted(tmp_path: Path) -> None:
    """There is no number, and the operator learns which right is missing."""
    machine = crowd(tmp_path)
    host = machine.host
    host.proc = Hidden(machine.roots.procfs)
    with pytest.raises(NoData, match="proc/1/stat: Operation not permitted"):
        exposed(Processes(host))
    assert host.denied == {f"{tmp_path}/proc/1/stat": "CAP_SYS_PTRACE"}


def test_processes_that_are_not_even_listed_are_told(tmp_path: Path) -> None:
    """Under `hidepid=2` there are numbers, of this user's processes; the first process of all is not among them."""
    machine = crowd(tmp_path)
    machine.remove("proc/1")
    host = machine.host
    assert samples_in(exposed(Processes(host)))["node_processes_pids"] == 2
    assert host.denied == {f"{tmp_path}/proc/1": "CAP_SYS_PTRACE"}


def test_numbers_of_the_kernel_have_names_of_an_operators_choice(tmp_path: Path) -> None:
    """One number, several by index, several by name, and texts as labels."""
    machine = FakeMachine(tmp_path)
    machine.write_all(
        {
            "kernel/threads-max": "7801\n",
            "kernel/printk": "4 -1\n",
            "fs/file-nr": "1024\t0\t1631329\n",
            "net/ipv4/conf/eth0.100/mtu": "1500\n",
            "kernel/seccomp/actions_avail": "kill trap\n",
        },
        "proc/sys",
    )
    options = sysctl.Options(
        include=("kernel.threads-max", "kernel.printk", "fs.file-nr:total,unused,max", "net.ipv4.conf.eth0/100.mtu"),
        include_info=("kernel.seccomp.actions_avail",),
    )
    assert samples_in(exposed(Sysctl(machine.host, options))) == {
        "node_sysctl_kernel_threads_max": 7801,
        'node_sysctl_kernel_printk{index="0"}': 4,
        'node_sysctl_kernel_printk{index="1"}': -1,
        "node_sysctl_fs_file_nr_total": 1024,
        "node_sysctl_fs_file_nr_unused": 0,
        "node_sysctl_fs_file_nr_max": 1631329,
        "node_sysctl_net_ipv4_conf_eth0_100_mtu": 1500,
        'node_sysctl_info{name="kernel.seccomp.actions_avail",value="kill",index="0"}': 1,
        'node_sysctl_info{name="kernel.seccomp.actions_avail",value="trap",index="1"}': 1,
    }


@pytest.mark.parametrize(
    ("content", "include", "expected"),
    [
        ("1 2\n", "fs.x:only", "sys/fs/x:1: expected 1 numbers, got '1 2'"),
        ("1\n", "fs.x:a,b", "sys/fs/x:1: expected 2 numbers"),
        ("\n", "fs.x", "sys/fs/x:1: expected some numbers"),
        ("text\n", "fs.x", "sys/fs/x:1: expected whole numbers, got 'text'"),
        (None, "fs.x", "sys/fs/x: No such file"),
    ],
)
def test_a_parameter_that_fails_costs_the_others_nothing(
    tmp_path: Path, content: str | None, include: str, expected: str
) -> None:
    """They are published, and the collector says what failed."""
    machine = FakeMachine(tmp_path)
    machine.write("proc/sys/fs/y", "3\n")
    if content is not None:
        machine.write("proc/sys/fs/x", content)
    families = Sysctl(machine.host, sysctl.Options(include=(include, "fs.y"))).collect(0.0)
    assert next(iter(families)).samples == [((), 3)]
    with pytest.raises((NoData, Malformed), match=expected):
        list(families)


@pytest.mark.parametrize(
    ("include", "include_info"),
    [
        (("kernel..printk",), ()),
        (("kernel.printk:a b",), ()),
        (("kernel.printk:",), ()),
        (("kernel.printk:a,a",), ()),
        (("kernel.a-b", "kernel.a_b"), ()),
        ((), ("kernel.hostname:name",)),
        (("../../etc/passwd",), ()),
    ],
)
def test_parameters_that_can_not_be_published_are_refused(
    include: tuple[str, ...], include_info: tuple[str, ...]
) -> None:
    """Before the exporter starts."""
    with pytest.raises(ValueError, match=r"expected NAME|would have the name|can't have names"):
        sysctl.Options(include, include_info)
