"""The folders in which users keep the containers that they run on their own, without root.

What is there is the user's to write: it names containers in the user's slice and no other.
"""

from collections.abc import Iterator

from exporters.host import Tree, Unreadable

LONGEST = 1 << 20
"""Bytes of one of a user's files: hundreds of containers. JSON takes up to 25 times its size while it is read."""

MOST = 1000
"""Containers of one list that are remembered; a row can be much shorter than what is made of it."""


def folders_of(root: Tree, user: str, in_home: str, in_run: str) -> Iterator[tuple[str, str]]:
    """What must belong to the user, and the folder in it: below the home folder, and below /run/user/<uid>.

    An empty name stands for a folder that there is not.
    """
    if in_home and (home := _home_of(root, user)):
        yield home, in_home
    if in_run:
        yield f"run/user/{user}", in_run


def _home_of(root: Tree, user: str) -> str:
    """As passwd(5) has it; of users from elsewhere, the folder in /home that is theirs; empty when there is none."""
    content = root.read("etc/passwd")
    for line in [] if isinstance(content, Unreadable) else content.decode(errors="replace").splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[2] == user:
            return fields[5].strip("/")
    homes = root.folders("home")
    for name in [] if isinstance(homes, Unreadable) else homes:
        status = root.status(f"home/{name}")
        if not isinstance(status, Unreadable) and str(status.st_uid) == user:
            return f"home/{name}"
    return ""
