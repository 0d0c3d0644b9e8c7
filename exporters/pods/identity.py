"""Who a container is, and the port of those who can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from exporters.pods.cgroup_path import Place


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a container or pod; what nobody knows is empty."""

    namespace: str = ""
    pod: str = ""
    container: str = ""
    image: str = ""
    name: str = ""
    sandbox: bool = False
    """The pause container, which holds a pod's namespaces and does nothing."""
    workload: str = ""
    """What made the pod, such as a Deployment, by its name: stays the same when pods are renamed."""
    workload_kind: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Those of the pod that were asked for."""

    def filled_from(self, other: "Identity") -> "Identity":
        """This identity, with what it lacks taken from `other`."""
        return replace(
            self,
            namespace=self.namespace or other.namespace,
            pod=self.pod or other.pod,
            container=self.container or other.container,
            image=self.image or other.image,
            name=self.name or other.name,
            sandbox=self.sandbox or other.sandbox,
            workload=self.workload or other.workload,
            workload_kind=self.workload_kind or other.workload_kind,
            labels=self.labels or other.labels,
        )


NOBODY = Identity()


class Source(Protocol):
    """One place on this machine that knows names. A class that inherits from this one has its defaults."""

    essential: bool = False
    """No answer about a pod is complete without this source's, as it knows what no other does."""
    of_users: bool = False
    """It tells apart what users run on their own, and takes their word for nothing else."""
    fault: str = ""
    """Why it can't answer although it should, in words for an operator; empty when it can."""

    def identity(self, place: Place, now: float) -> Identity:
        """What is known of a container or pod; of a container that is not known, its pod; NOBODY when nothing is.

        Called for what is not fully known yet, `now` is Unix seconds. Reads a few files, or asks a server on this
        machine and waits for seconds at most.
        """
        ...
