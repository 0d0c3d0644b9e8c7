"""Places to ask for, and sources that know what they are told."""

from exporters.pods.cgroup_path import Kind, Place
from exporters.pods.identity import NOBODY, Identity, Source
from tests.exporters.machines import APP, SANDBOX, UID

CONTAINER = Place(Kind.CONTAINER, UID, APP)
PAUSE = Place(Kind.CONTAINER, UID, SANDBOX)
POD = Place(Kind.POD, UID)
ALONE = Place(Kind.CONTAINER, container_id=APP)
"""A container in no pod."""
OF_ADA = Place(Kind.CONTAINER, container_id=APP, user="1000")
"""One that a user runs without root."""
PASSWD = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/sh\n"


class Script(Source):
    """A source that knows what it is told, and counts how often it is asked."""

    def __init__(self, known: Identity = NOBODY, *, essential: bool = False, fault: str = "") -> None:
        self.known, self.essential, self.fault = known, essential, fault
        self.asked: list[Place] = []

    def identity(self, place: Place, now: float) -> Identity:
        self.asked.append(place)
        return self.known
