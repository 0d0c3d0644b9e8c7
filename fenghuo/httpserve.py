"""The seam to those who call us: one aiohttp application with the routes that every product has.

`/metrics`, `/-/healthy`, `/-/ready`, `POST /-/reload`. Request bodies are bounded; loopback is the default and
an address beyond it is said aloud in the log.
"""

import socket

from aiohttp import web
from prometheus_client import CollectorRegistry

from fenghuo.addresses import free_port, is_loopback, parse_address
from fenghuo.errors import FenghuoError, StartError
from fenghuo.lifecycle import Lifecycle
from fenghuo.logs import get_logger
from fenghuo.telemetry import exposition

__all__ = ["LARGEST_BODY", "free_port", "is_loopback", "new_application", "parse_address", "require_free", "serve"]

LARGEST_BODY = 8 << 20
"""Bytes that a request may send unless a product says otherwise."""


def new_application(life: Lifecycle, registry: CollectorRegistry, largest_body: int = LARGEST_BODY) -> web.Application:
    """An application with the common routes; products add theirs to its router before `serve`."""

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text=f"{life.name} is healthy.\n")

    async def ready(_: web.Request) -> web.Response:
        if life.is_ready:
            return web.Response(text=f"{life.name} is ready.\n")
        return web.Response(status=503, text=f"{life.name} is not ready: {life.not_ready_because}\n")

    async def reload(_: web.Request) -> web.Response:
        try:
            await life.reload()
        except FenghuoError as error:
            return web.Response(status=500, text=f"failed to reload: {error}\n")
        return web.Response(text="")

    async def metrics(request: web.Request) -> web.Response:
        body, content_type = exposition(registry, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    application = web.Application(client_max_size=largest_body)
    application.router.add_get("/-/healthy", healthy)
    application.router.add_get("/-/ready", ready)
    application.router.add_post("/-/reload", reload)
    application.router.add_get("/metrics", metrics)
    return application


def require_free(address: str) -> None:
    """Raise StartError when `address` can't be listened on now: asked before a start has any effect."""
    host, port = parse_address(address)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise _taken(address, error) from error


async def serve(life: Lifecycle, application: web.Application, address: str) -> str:
    """Listen on `address`, register the tear-down with `life`, return the base URL that answers.

    Port 0 takes a free port, and the URL says which. Raises StartError when the port is taken or the address
    is not this machine's.
    """
    host, port = parse_address(address)
    if not is_loopback(host):
        get_logger(life.name).warning("listening beyond loopback without authentication", address=address)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    life.on_stop("http", runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise _taken(address, error) from error
    bound = runner.addresses[0]
    return f"http://{_bracketed(str(bound[0]))}:{bound[1]}"


def _taken(address: str, error: OSError) -> StartError:
    return StartError(f"can't listen on {address}: {error.strerror or error}", "choose another --web.listen-address")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
