"""Elasticsearch 9: the real server code from Maven Central, started by the small launcher in jvm/elasticsearch.

It has data streams, bulk, search, templates and the failure store. It lacks what is not published as a
library: index lifecycle policies, ingest processors, scripts, ES|QL, SQL, security and TLS.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.stack.servers.cache import cached
from tests.stack.servers.java import PROJECTS, compile_sources, fetch_jars, find_java
from tests.stack.servers.over_http import HttpServer

PROJECT = PROJECTS / "elasticsearch"

# Java 21 is what the published classes are compiled for. The library for vectors is native and not published;
# Java's own module for them is not asked for either, since not every runtime has it and no log line needs it.
OPTIONS = (
    "-Xms512m",
    "-Xmx512m",
    "-XX:-UsePerfData",  # no memory-mapped file in /tmp
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
    "-Dio.netty.noUnsafe=true",
    "-Djava.awt.headless=true",
    "-Djava.locale.providers=CLDR",
    "-Dlog4j2.disable.jmx=true",
    f"-Dlog4j2.configurationFile={PROJECT / 'log4j2.properties'}",
)


class Elasticsearch(HttpServer):
    """One node at `url`, without authentication; any official client may talk to it."""

    name = "elasticsearch"
    ready_path = "/_cluster/health?wait_for_status=yellow&timeout=1s"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._java: list[str | Path] = []

    def prepare(self) -> None:
        java = find_java(21)
        launcher = [path for path in PROJECT.rglob("*") if path.is_file() and path.name != "log4j2.properties"]
        built = cached(self.name, launcher, lambda entry: _build(java, entry))
        self._java = [
            java,
            *OPTIONS,
            f"-Des.nativelibs.path={self._native_libraries()}",
            "-cp",
            f"{built / 'classes'}:{built / 'lib'}/*",
        ]

    def command(self) -> Sequence[str | Path]:
        return [*self._java, "dev.fenghuo.testnode.TestNode", self.folder, str(self.port)]

    def _native_libraries(self) -> Path:
        """A folder with Debian's zstd under the name that Elasticsearch looks for.

        Without it ordinary indices work, but index.codec=best_compression and index.mode=logsdb do not.
        """
        folder = self.folder / "native"
        folder.mkdir(exist_ok=True)
        for library in sorted(Path("/usr/lib").glob("*-linux-gnu/libzstd.so.1"))[:1]:
            (folder / "libzstd.so").symlink_to(library)
        return folder


def _build(java: Path, entry: Path) -> None:
    fetch_jars(PROJECT / "pom.xml", entry / "lib")
    compile_sources(java, PROJECT / "src", entry / "lib", entry / "classes")
    shutil.copytree(PROJECT / "resources", entry / "classes", dirs_exist_ok=True)
