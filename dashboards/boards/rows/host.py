"""The host: processors, memory, disks, network, each with its pressure (PSI: somebody had to wait)."""

from dashboards.grafana.board import Cell, Row
from dashboards.grafana.panels import Query, graph, share
from dashboards.queries import host

_PSI = "Share of time in which at least one task waited."


def cpu() -> Row:
    """Who uses the processors, and who waits for them."""
    modes = share(
        "CPU by mode",
        "Of all processors' time. Much iowait is a slow disk, much steal a busy hypervisor.",
        Query(host.CPU_BY_MODE, "{{mode}}"),
        stacked=True,
    )
    load = graph(
        "Load per CPU",
        "Tasks that run or wait, for each processor. Above 1, some wait.",
        "none",
        Query(host.LOAD_PER_CPU, "{{instance}}"),
    )
    waiting = share("Pressure: waiting for CPU", _PSI, Query(host.PRESSURE_CPU, "{{instance}}"))
    return Row("Host: CPU", [Cell(modes), Cell(load), Cell(waiting)])


def memory() -> Row:
    """What memory is used for, and who waits for it."""
    use = graph(
        "Memory by use",
        "Used, what the kernel can give back (page cache), and free.",
        "bytes",
        Query(host.MEMORY_USED, "used"),
        Query(host.MEMORY_RECLAIMABLE, "reclaimable"),
        Query(host.MEMORY_FREE, "free"),
        stacked=True,
    )
    swap = graph(
        "Swap used",
        "Little and steady is harmless; growth is a host that is too small.",
        "bytes",
        Query(host.SWAP_USED, "swap"),
    )
    waiting = share("Pressure: waiting for memory", _PSI, Query(host.PRESSURE_MEMORY, "{{instance}}"))
    return Row("Host: memory", [Cell(use), Cell(swap), Cell(waiting)])


def disk() -> Row:
    """How full, how fast, how busy, and who waits for it."""
    full = share(
        "File systems",
        "Share that a user can't write any more. Those in memory are left out.",
        Query(host.FILESYSTEM_USED, "{{instance}} {{mountpoint}}"),
    )
    throughput = graph(
        "Disk throughput",
        "What reaches the device, after the page cache.",
        "Bps",
        Query(host.DISK_READ_BYTES, "{{instance}} {{device}} read"),
        Query(host.DISK_WRITTEN_BYTES, "{{instance}} {{device}} written"),
    )
    busy = share(
        "Disk busy",
        "Share of time with a request under way. A disk that works in parallel bears 100 %.",
        Query(host.DISK_BUSY, "{{instance}} {{device}}"),
    )
    waiting = share("Pressure: waiting for disk", _PSI, Query(host.PRESSURE_IO, "{{instance}}"))
    return Row("Host: disk", [Cell(panel, width=6) for panel in (full, throughput, busy, waiting)])


def network() -> Row:
    """How much goes in and out, and what is thrown away."""
    left_out = "By interface. Loopback and containers' ends are left out."
    received = graph("Network received", left_out, "bps", Query(host.NETWORK_RECEIVED_BITS, "{{instance}} {{device}}"))
    sent = graph("Network sent", left_out, "bps", Query(host.NETWORK_SENT_BITS, "{{instance}} {{device}}"))
    drops = graph(
        "Network drops",
        "Packets that the host threw away. More than now and then is worth a look.",
        "pps",
        Query(host.NETWORK_RECEIVE_DROPS, "{{instance}} {{device}} received"),
        Query(host.NETWORK_SEND_DROPS, "{{instance}} {{device}} sent"),
    )
    return Row("Host: network", [Cell(received), Cell(sent), Cell(drops)])
