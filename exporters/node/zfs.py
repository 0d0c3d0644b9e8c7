"""OpenZFS: the kstats of the module, of each pool and of each dataset, from /proc/spl/kstat/zfs.

ZFS has some hundreds of kstats, more with each version, so names follow a rule and no table: the number `hits` of
the file `arcstats` is `node_zfs_arc_hits`. All are untyped, for a kstat does not say whether it counts or measures.
Format: spl-kstat.c of OpenZFS; of the types in `name type data` lines, 3 and 4 are whole numbers of 64 bits.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from exporters.collector import Family, Labels, Malformed, Metric, NoData, Sample, gauge, untyped, whole
from exporters.host import Host, KeptFile, Unreadable
from exporters.readers.numbers import natural

BASE = "spl/kstat/zfs"
SUBSYSTEMS = {
    "abdstats": "abd",
    "arcstats": "arc",
    "dbufstats": "dbuf",
    "dmu_tx": "dmu_tx",
    "dnodestats": "dnode",
    "fm": "fm",
    "vdev_cache_stats": "vdev_cache",
    "vdev_mirror_stats": "vdev_mirror",
    "xuio_stats": "xuio",
    "zfetchstats": "zfetch",
    "zil": "zil",
}
"""The files that are read, and what stands for them in names. Each version of ZFS lacks some."""

STATES = ("online", "degraded", "faulted", "offline", "removed", "unavail", "suspended")
STATE = gauge("node_zfs_zpool_state", "Whether the pool is in this state.", "zpool", "state")

HEADING = re.compile(r"^name[ \t]+type[ \t]+data[ \t]*$", re.MULTILINE)
COLUMNS = 3
NUMBERS: Mapping[str, Callable[[str], int]] = {"3": whole, "4": natural}
IO_COLUMNS = 12
BEYOND = 1 << 64
_NAME = re.compile("[a-zA-Z0-9_:]+")
_DATASET = re.compile(r"^dataset_name[ \t]+\S+[ \t]+(.+)$", re.MULTILINE)

Parsed = tuple[Labels, Mapping[str, int]]
"""What a file tells of itself, beside its pool, and its numbers by name."""


class Metrics:
    """The metrics of one kind of file by the names in it, each made once."""

    def __init__(self, prefix: str, source: str, *labels: str) -> None:
        self._prefix = prefix
        self._source = source
        self._labels = labels
        self.known: dict[str, Metric] = {}

    def new(self, name: str, path: str) -> Metric:
        """The metric of a kstat that is not known yet. Raises Malformed naming `path` for a name no metric can have."""
        if not _NAME.fullmatch(name) or self._prefix + name == STATE.name:
            raise Malformed(path, 0, f"names of kstats, got {name!r:.40}")
        metric = untyped(self._prefix + name, f"The kstat {name} of {self._source}.", *self._labels)
        return self.known.setdefault(name, metric)


class _Pool:
    """The files of one pool, and those of its datasets that are there now."""

    __slots__ = ("datasets", "io", "state")

    def __init__(self, io: KeptFile, state: KeptFile) -> None:
        self.io = io
        self.state = state
        self.datasets: dict[str, KeptFile] = {}


class _Scrape:
    """The samples of one scrape by metric, and what was wrong first: a broken file costs no other file's samples."""

    def __init__(self) -> None:
        self.samples: dict[Metric, list[Sample]] = {}
        self.problem: Malformed | None = None
        self._seen: set[tuple[Metrics, Labels]] = set()

    def take(self, file: KeptFile, metrics: Metrics, parse: Callable[[str, str], Parsed], pool: Labels = ()) -> None:
        """Add the numbers of a file. One that is absent belongs to another version of ZFS, or to what just went."""
        content = file.read()
        if isinstance(content, Unreadable):
            return
        try:
            own, values = parse(content.decode(errors="replace"), file.path)
            known = metrics.known
            named = [(known.get(name) or metrics.new(name, file.path), value) for name, value in values.items()]
        except Malformed as problem:
            self.problem = self.problem or problem
            return
        labels = pool + own
        if not labels:
            self.samples.update((metric, [((), value)]) for metric, value in named)
        elif (metrics, labels) not in self._seen:  # a dataset that is being renamed may show up twice
            self._seen.add((metrics, labels))
            for metric, value in named:
                self.samples.setdefault(metric, []).append((labels, value))


class Zfs:
    """Reads all kstats at each scrape."""

    def __init__(self, host: Host) -> None:
        self._tree = host.proc
        self._module = [
            (host.proc.keep(f"{BASE}/{name}"), Metrics(f"node_zfs_{short}_", name))
            for name, short in SUBSYSTEMS.items()
        ]
        self._io = Metrics("node_zfs_zpool_", "io", "zpool")
        self._dataset = Metrics("node_zfs_zpool_dataset_", "objset", "zpool", "dataset")
        self._pools: dict[str, _Pool] = {}

    def collect(self, now: float) -> Iterator[Family]:
        names = self._tree.folders(BASE)
        if isinstance(names, Unreadable):
            self._pools.clear()
            raise NoData(str(names))
        scrape = _Scrape()
        for file, metrics in self._module:
            scrape.take(file, metrics, kstats)
        states: list[Sample] = []
        for name, pool in self._current(names).items():
            scrape.take(pool.io, self._io, io, (name,))
            for file in pool.datasets.values():
                scrape.take(file, self._dataset, dataset, (name,))
            states += _states(name, pool.state)
        for metric, samples in scrape.samples.items():
            yield metric.family(samples)
        yield STATE.family(states)
        if scrape.problem is not None:
            raise scrape.problem

    def _current(self, names: list[str]) -> dict[str, _Pool]:
        """The pools, each with the datasets that it has now. A file that is forgotten closes itself."""
        keep = self._tree.keep
        self._pools = {
            name: self._pools.get(name) or _Pool(keep(f"{BASE}/{name}/io"), keep(f"{BASE}/{name}/state"))
            for name in names
        }
        for name, pool in self._pools.items():
            found = self._tree.names(f"{BASE}/{name}")
            objects = [] if isinstance(found, Unreadable) else [file for file in found if file.startswith("objset-")]
            known = pool.datasets
            pool.datasets = {file: known.get(file) or keep(f"{BASE}/{name}/{file}") for file in objects}
        return self._pools


def _states(pool: str, file: KeptFile) -> list[Sample]:
    """One sample a state; a state that ZFS has learnt since leaves all of them at 0."""
    content = file.read_record()
    if isinstance(content, Unreadable):
        return []
    state = content.decode(errors="replace").partition("\n")[0].lower()
    return [((pool, name), float(name == state)) for name in STATES]


def kstats(text: str, path: str) -> Parsed:
    """The numbers of `name type data` lines; a hyphen in a name becomes an underscore. Raises Malformed."""
    heading = HEADING.search(text)
    if heading is None:
        raise Malformed(path, 0, "a heading `name type data`")
    body = text[heading.end() :]
    words = body.split()
    # nearly all files are plain tables of numbers from 0 on: those are read by columns, three times as fast
    if " -" not in body and NUMBERS.keys() >= set(words[1::COLUMNS]) and len(words) % COLUMNS == 0:
        try:
            values = list(map(int, words[2::COLUMNS]))
        except ValueError:
            values = [BEYOND]
        if max(values, default=0) < BEYOND:
            names = (body.replace("-", "_").split() if "-" in body else words)[::COLUMNS]
            return (), dict(zip(names, values, strict=True))
    return (), _by_line(body, path, text.count("\n", 0, heading.end()))


def _by_line(body: str, path: str, above: int) -> dict[str, int]:
    """The same of lines of all sorts, of which there are others `above`."""
    values: dict[str, int] = {}
    for number, line in enumerate(body.split("\n"), above + 1):
        words = line.split()
        read = NUMBERS.get(words[1]) if len(words) >= COLUMNS else None
        if read is not None:
            try:
                values[words[0].replace("-", "_")] = read(words[2])
            except ValueError as error:
                raise Malformed(path, number, "`name type number`", line) from error
    return values


def dataset(text: str, path: str) -> Parsed:
    """The numbers of one dataset, after its name. Raises Malformed."""
    named = _DATASET.search(text)
    if named is None:
        raise Malformed(path, 0, "a line `dataset_name 7 <name>`")
    _, values = kstats(text[: named.start()] + text[named.end() :], path)
    return (named.group(1),), values


def io(text: str, path: str) -> Parsed:
    """A pool's line of numbers below a line of names, as versions before 2.1 have it. Raises Malformed."""
    names: list[str] = []
    values: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not names and len(words) >= IO_COLUMNS and words[0] == "nread":
            names = words
        elif names and words:
            try:
                values = dict(zip(names, map(natural, words), strict=True))
            except ValueError as error:
                raise Malformed(path, number, f"{len(names)} numbers", line) from error
    return (), values
