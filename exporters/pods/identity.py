"""Who a container is, and the port of those who can tell."""

from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a container or pod; what nobody knows is empty."""

    namespace: str = ""
    pod: str = ""
    container: str = ""
    image: str = ""
    name: str = ""

    def filled_from(self, other: "Identity") -> "Identity":
        """This identity, with what it lacks taken from `other`."""
        return replace(
            self,
            namespace=self.namespace or other.namespace,
            pod=self.pod or other.pod,
            container=self.container or other.container,
            image=self.image or other.image,
            name=self.name or other.name,
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
