"""Who a container is, and the port of those who can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol


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
    """One place on this machine that knows names. Both methods read a few files at most and never raise."""

    def container(self, container_id: str, now: float) -> Identity:
        """What is known of a container by its 64 hexadecimal digits; NOBODY when it is not known here, or not yet."""
        ...

    def pod(self, uid: str, now: float) -> Identity:
        """Namespace and pod of a pod's uid; NOBODY when it is not known here, or not yet."""
        ...
