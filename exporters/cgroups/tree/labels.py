"""The labels of a cgroup's series, and which cgroups have any series. Pure.

All series of a cgroup have the same labels, so they are made into text once, see `collector.PAIRS`. Those that cAdvisor
has are there also when they are empty, as in the kubelet; of the others, those that say something.
"""

import re
from fnmatch import translate

from exporters.cgroups.tree.choice import BASE, Choice
from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import Identity
from exporters.render import pairs

_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_]")
_UNIT = re.compile(r"\.(?:service|scope|socket|swap)$")

OF_POD = "container_label_"
"""What names of labels begin with that were a pod's, as in cAdvisor."""


def is_chosen(choice: Choice, path: str, place: Place, who: Identity) -> bool:
    """Whether a cgroup has series."""
    if who.sandbox and not choice.sandboxes:
        return False
    if choice.include is not None and not choice.include.search(path):
        return False
    if choice.exclude is not None and choice.exclude.search(path):
        return False
    return place.kind not in (Kind.POD, Kind.CONTAINER) or _is_chosen_namespace(choice, who.namespace)


def _is_chosen_namespace(choice: Choice, namespace: str) -> bool:
    if choice.namespaces_include is not None and not choice.namespaces_include.search(namespace):
        return False
    return choice.namespaces_exclude is None or not choice.namespaces_exclude.search(namespace)


class Labelling:
    """Makes the text of labels; `slices` are the labels `slice` and `unit` for cgroups of systemd."""

    def __init__(self, choice: Choice) -> None:
        self._names = tuple(dict.fromkeys((*choice.labels, *(("slice", "unit") if choice.slices else ()))))
        self._of_pod = [re.compile(translate(name)) for name in choice.pod_labels]

    def text(self, path: str, place: Place, who: Identity) -> str:
        """`name="value",…`; empty for a cgroup that the labels asked for do not tell from others."""
        values = _values(path, place, who)
        names = [name for name in self._names if name in BASE or values[name]]
        if not any(values[name] for name in names):
            return ""
        # an empty one is none to Prometheus: with it and without it, two of the same name would be one series twice
        asked = {
            name: value for name, value in who.labels.items() if value and any(p.match(name) for p in self._of_pod)
        }
        more = {OF_POD + _NOT_IN_A_NAME.sub("_", name): value for name, value in sorted(asked.items())}
        return pairs((*names, *more), (*(values[name] for name in names), *more.values()))


def _values(path: str, place: Place, who: Identity) -> dict[str, str]:
    above, _, unit = path.rpartition("/")
    is_unit = place.kind is Kind.SLICE and _UNIT.search(unit) is not None
    is_slice = place.kind is Kind.SLICE and unit.endswith(".slice")
    return {
        "container": who.container,
        "id": path,
        "image": who.image,
        "name": who.name,
        "namespace": who.namespace,
        "pod": who.pod,
        "workload": who.workload,
        "workload_kind": who.workload_kind,
        "qos": place.qos,
        "runtime": place.runtime,
        "pod_uid": place.pod_uid,
        "slice": unit if is_slice else above.rpartition("/")[2] if is_unit else "",
        "unit": unit if is_unit else "",
    }
