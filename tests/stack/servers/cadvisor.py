"""cAdvisor, the peer of our exporter of cgroups: a program of ours around its library, for its own is a Go module of
which the module proxy has no release.
"""

from pathlib import Path

from tests.stack.servers.cache import cache_home, cached, locked
from tests.stack.servers.golang import find_go
from tests.stack.servers.programs import run

VERSION = "v0.57.0"
"""The library in go.mod, which our names were written to equal; a newer one is a reason to read its changelog."""

SOURCES = Path(__file__).with_suffix("")


def program() -> Path:
    """The program, built once. It takes cAdvisor's flags of housekeeping, `-disable_metrics` and `-listen=HOST:PORT`.

    Raises StartError with what the compiler said, or why there is none.
    """
    return cached(f"cadvisor-{VERSION}", SOURCES.iterdir(), _build) / "cadvisor"


def _build(entry: Path) -> None:
    go = find_go((1, 25))
    with locked(cache_home() / "go.lock"):  # two builds at once would fill the machine
        build = [str(go), "build", f"-C={SOURCES}", "-trimpath", f"-o={entry / 'cadvisor'}", "."]
        run(["env", "GOTOOLCHAIN=local", "CGO_ENABLED=0", *build])
