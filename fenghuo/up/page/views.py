"""The page's routes: `/`, `/api/overview`, `/api/status`, `/static/…`.

The page is whole without JavaScript; the script only fetches the same page again and exchanges its panels.
Nothing is loaded from elsewhere and the browser is told so. A page on loopback answers only to a loopback
name, so that a web site that points its own name at 127.0.0.1 can't read it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from importlib import resources

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from yarl import URL

from fenghuo.addresses import is_loopback
from fenghuo.up.page import texts
from fenghuo.up.page.contexts import Overview
from fenghuo.up.page.gather import Gatherer
from fenghuo.up.times import time_of_day

STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
TEMPLATES = ("page.html", "panels.html")
LONGEST_QUERY = 500
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_page(application: web.Application, gatherer: Gatherer, host: str) -> None:
    """Add the page to an application that listens on `host`."""
    render = renderer()
    static = {name: _file("static", name) for name in STATIC}

    async def overview_of(request: web.Request) -> Overview:
        return await gatherer.overview(request.query.get("q", "").strip()[:LONGEST_QUERY])

    async def page(request: web.Request) -> web.Response:
        html = render(await overview_of(request)).encode("utf-8", "replace")  # a log line may hold half a character
        return web.Response(body=html, content_type="text/html", charset="utf-8")

    async def overview(request: web.Request) -> web.Response:
        return web.json_response(asdict(await overview_of(request)), dumps=_dumps)

    async def status(_: web.Request) -> web.Response:
        return web.json_response(gatherer.status().document(), dumps=_dumps)

    async def static_file(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in static:
            raise web.HTTPNotFound
        return web.Response(text=static[name], content_type=STATIC[name])

    application.router.add_get("/", page)
    application.router.add_get("/api/overview", overview)
    application.router.add_get("/api/status", status)
    application.router.add_get("/static/{name}", static_file)
    application.middlewares.append(guard(host))


def guard(host: str) -> Middleware:
    """The security headers on every answer; on loopback, no answer to a foreign name."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_loopback(host) and not is_loopback(_name_asked_for(request)):
            return web.Response(status=421, text="this page answers to localhost only\n")
        response = await handler(request)
        response.headers.update(HEADERS)
        return response

    return middleware


def _name_asked_for(request: web.Request) -> str:
    try:
        return URL(f"http://{request.host}").host or ""
    except ValueError:
        return ""


def renderer() -> Callable[[Overview], str]:
    """A function from an overview to the page."""
    environment = SandboxedEnvironment(
        loader=DictLoader({name: _file("templates", name) for name in TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (texts.percent, texts.size, texts.cores, texts.ago, time_of_day, texts.polyline):
        environment.filters[function.__name__] = function
    template = environment.get_template("page.html")
    return lambda overview: template.render(page=overview)


def _file(folder: str, name: str) -> str:
    return resources.files("fenghuo.up.page").joinpath(folder, name).read_text(encoding="utf-8")


def _dumps(content: object) -> str:
    return json.dumps(content)
