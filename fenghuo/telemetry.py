"""A registry a process: never prometheus_client's global one.

`new_registry` gives a registry with the process's own metrics and `<product>_build_info`; the one who
builds the application makes it and hands it down.
"""

import platform

from prometheus_client import CollectorRegistry, Gauge, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from fenghuo import __version__


def new_registry(product: str) -> CollectorRegistry:
    """A fresh registry holding process, platform and GC metrics and `fenghuo_build_info{product=…}`."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    info = Gauge(
        "fenghuo_build_info",
        "Always 1; the labels tell what runs.",
        ["product", "version", "pythonversion"],
        registry=registry,
    )
    info.labels(product, __version__, platform.python_version()).set(1)
    return registry


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The registry's text for an `Accept` header: (body, content type)."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
