"""Java for the servers that need it: find a JDK, fetch jars with Maven, compile our launcher. Starts no server."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from fenghuo.errors import StartError
from tests.stack.servers.base import INSTALL, find_program

SOURCES = Path(__file__).parent / "jvm"
INSTALLED = Path("/usr/lib/jvm")

# the newest version of the plug-in would be looked up on the net otherwise
_COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def find_jdk(at_least: int) -> Path:
    """The home of a JDK with a compiler: JAVA_HOME, JAVA_HOME_*, then the oldest fit one of /usr/lib/jvm.

    Raises StartError when there is none of that version or newer.
    """
    for home in _homes():
        if (home / "bin" / "javac").exists() and version_of(home) >= at_least:
            return home
    raise StartError(
        f"no JDK of version {at_least} or newer in JAVA_HOME, JAVA_HOME_* or {INSTALLED}",
        f"{INSTALL}, or install one (openjdk-{at_least}-jdk-headless, Temurin) and set JAVA_HOME",
    )


def version_of(home: Path) -> int:
    """The feature version that a JDK's `release` file tells; 0 when it tells none."""
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def fetch_jars(pom: Path, folder: Path) -> None:
    """All jars of a pom with what they depend on. Raises StartError with Maven's last words."""
    run([find_program("mvn"), "-q", "-B", "-f", pom, _COPY_JARS, f"-DoutputDirectory={folder}"])


def compile_sources(jdk: Path, sources: Path, jars: Path, folder: Path) -> None:
    """Compile every Java file under a folder. Raises StartError with the compiler's last words."""
    files = sorted(sources.rglob("*.java"))
    run([jdk / "bin" / "javac", "--release", "21", "-nowarn", "-Xlint:none", "-cp", f"{jars}/*", "-d", folder, *files])


def run(command: Sequence[str | Path], timeout: float = 600.0) -> None:
    """Run a tool to its end. Raises StartError when it fails or takes longer than `timeout` seconds."""
    words = list(map(str, command))
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise StartError(f"{words[0]} took longer than {timeout:g} s", " ".join(words)) from error
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip().splitlines()
        raise StartError(
            f"{words[0]} failed with status {done.returncode}", "\n  ".join([" ".join(words), *said[-15:]])
        )


def _homes() -> Iterator[Path]:
    named = {name: home for name, home in os.environ.items() if name == "JAVA_HOME" or name.startswith("JAVA_HOME_")}
    for name in sorted(named):
        yield Path(named[name])
    found = {home.resolve() for home in INSTALLED.glob("*") if (home / "release").exists()}
    yield from sorted(found, key=lambda home: (version_of(home), home))
