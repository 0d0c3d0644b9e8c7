"""What the kernel counts of TCP in the networks of pods, of containers without a pod, and of the machine.

Read from /proc/<pid>/net/{netstat,snmp}, Documentation/networking/snmp_counter.rst; whose they are, see `networks`.
The files have lines in pairs: `TcpExt: <names>` and `TcpExt: <values>`. The label is the kernel's name in small
letters. One that this kernel does not have is absent, where cAdvisor says 0. Counts and settings are one gauge, as
there.
"""

from collections.abc import Iterable, Iterator

from exporters.cgroups.readers.networks import Networks
from exporters.cgroups.tree.inventory import BASE_LABELS, Inventory
from exporters.cgroups.tree.model import number_of
from exporters.collector import Family, Sample, gauge
from exporters.host import Host

METRIC = gauge(
    "container_network_advance_tcp_stats_total",
    "advance tcp connections statistic for container",
    *BASE_LABELS,
    "tcp_state",
)

LABELS = {
    name: name.decode().lower()
    for name in b"""
    RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs
    RetransSegs InErrs OutRsts InCsumErrors EmbryonicRsts SyncookiesSent SyncookiesRecv SyncookiesFailed PruneCalled
    RcvPruned OfoPruned OutOfWindowIcmps LockDroppedIcmps TW TWRecycled TWKilled TCPTimeWaitOverflow TCPTimeouts
    TCPSpuriousRTOs TCPLossProbes TCPLossProbeRecovery TCPRenoRecoveryFail TCPSackRecoveryFail TCPRenoFailures
    TCPSackFailures TCPLossFailures DelayedACKs DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPHPHits
    TCPPureAcks TCPHPAcks TCPRenoRecovery TCPSackRecovery TCPSACKReneging TCPFACKReorder TCPSACKReorder TCPRenoReorder
    TCPTSReorder TCPFullUndo TCPPartialUndo TCPDSACKUndo TCPLossUndo TCPFastRetrans TCPSlowStartRetrans
    TCPLostRetransmit TCPRetransFail TCPRcvCollapsed TCPDSACKOldSent TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv
    TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnLinger TCPAbortFailed
    TCPMemoryPressures TCPMemoryPressuresChrono TCPSACKDiscard TCPDSACKIgnoredOld TCPDSACKIgnoredNoUndo TCPMD5NotFound
    TCPMD5Unexpected TCPMD5Failure TCPSackShifted TCPSackMerged TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop
    TCPMinTTLDrop TCPDeferAcceptDrop IPReversePathFilter TCPReqQFullDoCookies TCPReqQFullDrop TCPFastOpenActive
    TCPFastOpenActiveFail TCPFastOpenPassive TCPFastOpenPassiveFail TCPFastOpenListenOverflow TCPFastOpenCookieReqd
    TCPSynRetrans TCPOrigDataSent PAWSActive PAWSEstab
    """.split()
}
"""By the kernel's names."""

UNLIMITED = b"MaxConn"
"""The only one that may be negative: -1 is no limit."""

_GROUPS = (b"Tcp:", b"TcpExt:")


class AdvTcpCollector:
    """Reads two files a pod."""

    def __init__(self, inventory: Inventory, host: Host) -> None:
        self._networks = Networks(inventory, host.proc, "net/netstat", "net/snmp")

    def collect(self, now: float) -> Iterator[Family]:
        samples: list[Sample] = []
        for labels, contents in self._networks.read(now):
            found = counted(contents)
            samples += [((*labels, name), value) for name, value in found.items()]
        yield METRIC.family(samples)


def counted(contents: Iterable[bytes]) -> dict[str, int]:
    """The values by label. Two lines that do not fit together are left out."""
    found: dict[str, int] = {}
    for content in contents:
        lines = content.splitlines()
        for head, line in zip(lines[::2], lines[1::2], strict=False):
            if not head.startswith(_GROUPS):
                continue
            names, words = head.split(), line.split()
            if len(names) == len(words) and names[0] == words[0]:
                found |= _values(names, words)
    return found


def _values(names: list[bytes], words: list[bytes]) -> Iterator[tuple[str, int]]:
    for name, word in zip(names, words, strict=True):
        if name in LABELS:
            value = number_of(word)
            if value is not None and (value >= 0 or name == UNLIMITED):
                yield LABELS[name], value
