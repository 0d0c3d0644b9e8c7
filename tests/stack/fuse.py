"""File systems that answer or hang as a test wants: a FUSE server of our own, in a mount namespace of its own.

`python -m tests.stack.fuse FOLDER…` mounts one at each folder and serves them until it is killed. It reads commands,
one a line, and confirms each by the same line: `hang` (take requests for sizes, and keep the answers back) and `answer`
(give them, and those that were kept back). Protocol: include/uapi/linux/fuse.h of the kernel, fuse(4).

Whoever is not root needs a kernel that lets him have a user namespace, and the right to open /dev/fuse.
"""

import ctypes
import errno
import os
import select
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

IN_HEADER = struct.Struct("=IIQQIIIHH")
OUT_HEADER = struct.Struct("=IiQ")
INIT_OUT = struct.Struct("=IIIIHHIIHHI7I")
STATFS_OUT = struct.Struct("=QQQQQIIII6I")
ATTR_OUT = struct.Struct("=QII6Q10I")

FORGET, GETATTR, STATFS, INIT, INTERRUPT, BATCH_FORGET = 2, 3, 17, 26, 36, 42
WITHOUT_ANSWER = {FORGET, INTERRUPT, BATCH_FORGET}

BLOCKS, FREE, AVAILABLE, BLOCK, TRANSFER = 1000, 600, 500, 4096, 1 << 20
"""What each of them says of itself; a transfer is larger than a block, as on virtiofs."""


def mount(folder: str) -> int:
    """Mount a file system of ours; its requests are read from the descriptor."""
    descriptor = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={descriptor},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"ours", folder.encode(), b"fuse.ours", 0, options):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), folder)
    return descriptor


def answer(descriptor: int, unique: int, body: bytes = b"", error: int = 0) -> None:
    """Answer one request; whoever asked may have gone."""
    try:
        os.write(descriptor, OUT_HEADER.pack(OUT_HEADER.size + len(body), -error, unique) + body)
    except OSError as gone:
        if gone.errno != errno.ENOENT:
            raise


def sizes() -> bytes:
    return STATFS_OUT.pack(BLOCKS, FREE, AVAILABLE, 300, 200, TRANSFER, 255, BLOCK, 0, *[0] * 6)


class Server:
    """Serves all file systems from one thread."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._descriptors = [mount(folder) for folder in folders]
        self._hanging = False
        self._kept_back: list[tuple[int, int]] = []

    def run(self) -> None:
        commands = sys.stdin.fileno()
        for descriptor in self._descriptors:
            self._serve(descriptor)  # the first request is that for the protocol's version
        print("mounted", flush=True)
        while True:
            for ready in select.select([commands, *self._descriptors], [], [])[0]:
                if ready != commands:
                    self._serve(ready)
                elif not self._obey(sys.stdin.readline().strip()):
                    return

    def _obey(self, command: str) -> bool:
        self._hanging = command == "hang"
        while self._kept_back and not self._hanging:
            answer(*self._kept_back.pop(), sizes())
        print(command, flush=True)
        return bool(command)

    def _serve(self, descriptor: int) -> None:
        request = os.read(descriptor, 1 << 21)
        _, opcode, unique, *_ = IN_HEADER.unpack_from(request)
        if opcode == STATFS and self._hanging:
            self._kept_back.append((descriptor, unique))
        elif opcode == STATFS:
            answer(descriptor, unique, sizes())
        elif opcode == INIT:
            answer(descriptor, unique, INIT_OUT.pack(7, 31, 0, 0, 12, 9, 1 << 16, 1, 16, 0, 0, *[0] * 7))
        elif opcode == GETATTR:
            attributes = (1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
            answer(descriptor, unique, ATTR_OUT.pack(0, 0, 0, *attributes))
        elif opcode not in WITHOUT_ANSWER:
            answer(descriptor, unique, error=errno.ENOSYS)


@dataclass(frozen=True)
class FileSystems:
    """The running server, as a test sees it."""

    process: "subprocess.Popen[str]"

    @property
    def enter(self) -> list[str]:
        """What stands before a command that is to see the mounts."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self.process.pid}", "--mount", *user]

    def say(self, command: str) -> None:
        """Give a command and wait until it holds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(command, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == f"{command}\n"


@contextmanager
def file_systems(folders: Sequence[Path]) -> Iterator[FileSystems]:
    """Serve a file system at each folder, which only those that `enter` see."""
    namespace = ["--mount", "--propagation=private"] if os.geteuid() == 0 else ["--map-root-user", "--mount"]
    command = ["unshare", *namespace, sys.executable, "-m", __name__, *map(str, folders)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "mounted\n", "FUSE can't be mounted here"
            yield FileSystems(process)
        finally:
            process.kill()  # the kernel then fails all that still waits for an answer


if __name__ == "__main__":
    Server(sys.argv[1:]).run()
