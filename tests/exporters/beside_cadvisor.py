"""Our exposition of cgroups beside cAdvisor's, in the same form and of the same moment.

`python -m tests.exporters.beside_cadvisor [--below /kubepods] [-- FLAG…]` starts both on this machine, cAdvisor with
these flags, and prints every difference of `/` and of the cgroups whose path begins so.

cAdvisor answers with what it saw when it last looked at a cgroup, and says when that was as the sample's time. We look
when we are asked. So ours is scraped, theirs once it has looked anew at each cgroup, and ours again: what they saw lies
between.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.exporters.beside import Labels, Published, differences, fetch, parse, running
from tests.stack.servers.cadvisor import program
from tests.stack.servers.waiting import wait_until

OWN = re.compile(r"^(process|go|promhttp|python|fenghuo|cadvisor|cgroup_scrape)_")
"""What an exporter says of itself."""

WHO = frozenset({"container", "image", "name", "namespace", "pod"})
"""Labels of whom a cgroup belongs to. What is compared has no engine: `id` tells all."""

STAMP = re.compile(r"(?<=\S) \d{13}$", re.MULTILINE)
LOOK = re.compile(r'^container_(?!last_seen).*[{,]id="([^"]*)".* (\d{13})$', re.MULTILINE)

EAGER = ("-housekeeping_interval=100ms", "-allow_dynamic_housekeeping=false")
"""Look every 100 to 200 ms, and not less often at what does not change."""

IN_PLACE_OF_ALL = 'mount --rbind "$0" /sys/fs/cgroup && exec "$@"'
"""cAdvisor looks nowhere else; in a mount namespace of its own another hierarchy may be there."""

Metrics = dict[str, Published]


class Round(NamedTuple):
    """What was scraped in a moment: by us, by cAdvisor, by us again."""

    before: Metrics
    theirs: Metrics
    after: Metrics


class Pair(NamedTuple):
    """Both, running, and the cgroups that are compared: by path, what each is called in every run."""

    mine: int
    other: int
    called: Mapping[str, str]

    def round(self) -> Round:
        """Scrape all three."""
        before = self._comparable(fetch(self.mine))
        theirs = self._comparable(looked_anew(lambda: fetch(self.other), self.called))
        return Round(before, theirs, self._comparable(fetch(self.mine)))

    def _comparable(self, text: str) -> Metrics:
        return comparable(text, self.called)


@contextmanager
def side_by_side(
    called: Mapping[str, str], below: str, ours: Sequence[str] = (), theirs: Sequence[str] = (), v2: str = ""
) -> Iterator[Pair]:
    """Start both with these flags. cAdvisor watches `/` and the cgroups whose path begins with `below`. With `v2`, the
    folder of a hierarchy of v2 that stands beside those of v1, both see that one alone.
    """
    own = [sys.executable, "-m", "exporters", "--collect=cgroup", *ours]
    other = [str(program()), *EAGER, f"-raw_cgroup_prefix_whitelist={below}", *theirs]
    if v2:
        own, other = [*own, f"--path.cgroupfs={v2}"], ["unshare", "--mount", "sh", "-c", IN_PLACE_OF_ALL, v2, *other]
    with running(own) as mine, running(other, "-listen") as port:
        wait_until(lambda: looks_in(fetch(port), called).keys() >= called.keys(), "cAdvisor to see all cgroups")
        fetch(mine)  # what is learnt at the first scrape is known from here on
        yield Pair(mine, port, called)


def looks_in(text: str, called: Mapping[str, str]) -> dict[str, int]:
    """When cAdvisor looked at these cgroups, in milliseconds: that of the oldest sample of each."""
    looks: dict[str, int] = {}
    for path, moment in LOOK.findall(text):
        if path in called:
            looks[path] = min(int(moment), looks.get(path, int(moment)))
    return looks


def looked_anew(scrape: Callable[[], str], called: Mapping[str, str]) -> str:
    """Their answer after a look at each cgroup that began later than this call."""

    def newer() -> str:
        text = scrape()
        looks = looks_in(text, called)
        return text if all(looks.get(path, 0) > seen.get(path, 0) for path in called) else ""

    text = scrape()
    for _ in range(2):  # the one that comes first may have begun earlier
        seen = looks_in(text, called)
        text = wait_until(newer, "cAdvisor to look at all cgroups", every=0.02)
    return text


def comparable(text: str, called: Mapping[str, str]) -> Metrics:
    """What is compared: of the machine and of these cgroups, without times and without the labels of WHO."""
    metrics: Metrics = {}
    for name, metric in parse(STAMP.sub("", text)).items():
        kept = {
            _renamed(labels, called): value
            for labels, value in metric.samples.items()
            if dict(labels).get("id", "/") in called
        }
        if kept and not OWN.search(name):
            metrics[name] = Published(metric.kind, kept)
    return metrics


def _renamed(labels: Labels, called: Mapping[str, str]) -> Labels:
    return frozenset((key, called[value] if key == "id" else value) for key, value in labels if key not in WHO)


def main() -> None:
    """Print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--below", default="", help="how the paths of the cgroups begin")
    parser.add_argument("--tolerance", type=float, default=0.02, help="by which share values may differ")
    known = sys.argv[1:] if "--" not in sys.argv else sys.argv[1 : sys.argv.index("--")]
    flags = [] if "--" not in sys.argv else sys.argv[sys.argv.index("--") + 1 :]
    arguments = parser.parse_args(known)
    with side_by_side({"/": "/"}, arguments.below, theirs=flags) as pair:
        paths = {path for path, _ in LOOK.findall(fetch(pair.other))}
        found = pair._replace(called={path: path for path in paths}).round()
    print("\n".join(differences(found.after, found.theirs, arguments.tolerance)) or "no difference")


if __name__ == "__main__":
    main()
