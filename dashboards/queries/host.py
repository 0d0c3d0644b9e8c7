"""Host metrics, by node_exporter's names."""

from dashboards.queries.scope import HOST, RANGE

# No exporter known is no answer, not 0.
DOWN = f"count(up{{{HOST}}} == 0) or 0 * count(up{{{HOST}}})"
UPTIME = f"min(time() - node_boot_time_seconds{{{HOST}}})"

# Time that waits for a disk is idle time to the processor.
_CPU_IDLE = f'sum by (instance, cpu) (rate(node_cpu_seconds_total{{{HOST},mode=~"idle|iowait"}}{RANGE}))'
CPU_MOST = f"max(1 - avg by (instance) ({_CPU_IDLE}))"
CPU_BY_MODE = f'avg by (mode) (rate(node_cpu_seconds_total{{{HOST},mode!="idle"}}{RANGE}))'
LOAD_PER_CPU = (
    f'sum by (instance) (node_load1{{{HOST}}}) / count by (instance) (node_cpu_seconds_total{{{HOST},mode="idle"}})'
)

MEMORY_MOST = f"max(1 - node_memory_MemAvailable_bytes{{{HOST}}} / node_memory_MemTotal_bytes{{{HOST}}})"
# What can't be given back; the page cache is counted apart, because it can.
MEMORY_USED = f"sum(node_memory_MemTotal_bytes{{{HOST}}} - node_memory_MemAvailable_bytes{{{HOST}}})"
MEMORY_RECLAIMABLE = f"sum(node_memory_MemAvailable_bytes{{{HOST}}} - node_memory_MemFree_bytes{{{HOST}}})"
MEMORY_FREE = f"sum(node_memory_MemFree_bytes{{{HOST}}})"
SWAP_USED = f"sum(node_memory_SwapTotal_bytes{{{HOST}}} - node_memory_SwapFree_bytes{{{HOST}}})"

_REAL_FILESYSTEM = 'fstype!~"tmpfs|ramfs|squashfs|iso9660|overlay"'
FILESYSTEM_USED = (
    f"1 - max by (instance, mountpoint) (node_filesystem_avail_bytes{{{HOST},{_REAL_FILESYSTEM}}})"
    f" / max by (instance, mountpoint) (node_filesystem_size_bytes{{{HOST},{_REAL_FILESYSTEM}}} > 0)"
)
FILESYSTEM_MOST = f"max({FILESYSTEM_USED})"

_REAL_DISK = 'device!~"loop.*|ram.*|sr.*|zram.*"'
DISK_READ_BYTES = f"sum by (instance, device) (rate(node_disk_read_bytes_total{{{HOST},{_REAL_DISK}}}{RANGE}))"
DISK_WRITTEN_BYTES = f"sum by (instance, device) (rate(node_disk_written_bytes_total{{{HOST},{_REAL_DISK}}}{RANGE}))"
DISK_BUSY = f"max by (instance, device) (rate(node_disk_io_time_seconds_total{{{HOST},{_REAL_DISK}}}{RANGE}))"

_REAL_NETWORK = 'device!~"lo|veth.*|cali.*|lxc.*"'
NETWORK_RECEIVED_BITS = (
    f"8 * sum by (instance, device) (rate(node_network_receive_bytes_total{{{HOST},{_REAL_NETWORK}}}{RANGE}))"
)
NETWORK_SENT_BITS = (
    f"8 * sum by (instance, device) (rate(node_network_transmit_bytes_total{{{HOST},{_REAL_NETWORK}}}{RANGE}))"
)
NETWORK_RECEIVE_DROPS = (
    f"sum by (instance, device) (rate(node_network_receive_drop_total{{{HOST},{_REAL_NETWORK}}}{RANGE}))"
)
NETWORK_SEND_DROPS = (
    f"sum by (instance, device) (rate(node_network_transmit_drop_total{{{HOST},{_REAL_NETWORK}}}{RANGE}))"
)

PRESSURE_CPU = f"rate(node_pressure_cpu_waiting_seconds_total{{{HOST}}}{RANGE})"
PRESSURE_MEMORY = f"rate(node_pressure_memory_waiting_seconds_total{{{HOST}}}{RANGE})"
PRESSURE_IO = f"rate(node_pressure_io_waiting_seconds_total{{{HOST}}}{RANGE})"
