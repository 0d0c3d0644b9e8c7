"""Both HTTP seams against a real server on loopback: what is answered, and what each failure becomes."""

import asyncio
import socket

import pytest
from prometheus_client import CollectorRegistry

from fenghuo.errors import RemoteAnswer, RemoteError, RemoteRefused, RemoteTimeout, RemoteTooLarge, StartError
from fenghuo.httpcall import AiohttpCaller, Answer, Request, safe_url
from fenghuo.httpserve import free_port, is_loopback, new_application, parse_address, require_free, serve
from fenghuo.lifecycle import Lifecycle
from fenghuo.telemetry import new_registry
from fenghuo.testing import FakeCaller, RecordingServer, Reply, answer


def ask(life: Lifecycle, *requests: tuple[str, str]) -> list[Answer]:
    """Serve the common routes and call each (method, path)."""

    async def scenario() -> list[Answer]:
        url = await serve(life, new_application(life, new_registry("test")), "127.0.0.1:0")
        async with AiohttpCaller() as caller:
            answers = [await caller.call(Request(method, url + path)) for method, path in requests]
        await life.close()
        return answers

    return asyncio.run(scenario())


def test_readiness_says_why_not() -> None:
    life = Lifecycle("alerting")
    (before,) = ask(life, ("GET", "/-/ready"))
    assert (before.status, before.text()) == (503, "alerting is not ready: starting\n")


def test_health_readiness_and_metrics_answer() -> None:
    life = Lifecycle("alerting")
    life.ready()
    healthy, ready, metrics = ask(life, ("GET", "/-/healthy"), ("GET", "/-/ready"), ("GET", "/metrics"))
    assert (healthy.status, ready.status) == (200, 200)
    assert 'fenghuo_build_info{product="test",' in metrics.text()


def test_a_refused_reload_is_answered_with_its_reason() -> None:
    life = Lifecycle("alerting")

    async def refuse() -> None:
        raise StartError("the rules are broken")

    life.on_reload("rules", refuse)
    (answered,) = ask(life, ("POST", "/-/reload"))
    assert (answered.status, answered.text()) == (500, "failed to reload: the rules are broken\n")


def test_reload_by_get_is_not_allowed() -> None:
    (answered,) = ask(Lifecycle("alerting"), ("GET", "/-/reload"))
    assert answered.status == 405


def test_a_taken_port_is_a_cause_and_a_remedy() -> None:
    async def scenario(address: str) -> None:
        life = Lifecycle("test")
        try:
            await serve(life, new_application(life, CollectorRegistry()), address)
        finally:
            await life.close()

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"can't listen on 127.0.0.1:{port}.*choose another"):
            asyncio.run(scenario(f"127.0.0.1:{port}"))
        with pytest.raises(StartError, match=f"can't listen on 127.0.0.1:{port}.*choose another"):
            require_free(f"127.0.0.1:{port}")
    require_free(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        (":9093", ("127.0.0.1", 9093)),
        ("[::1]:9", ("::1", 9)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
    ],
)
def test_listen_addresses(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize("text", ["", "localhost", "127.0.0.1:http", "127.0.0.1:70000"])
def test_what_is_no_listen_address_is_refused(text: str) -> None:
    with pytest.raises(StartError, match="is no HOST:PORT"):
        parse_address(text)


def test_loopback_is_told_from_the_rest() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "example.org")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def call(request: Request, reply: Reply) -> Answer:
    async def scenario() -> Answer:
        async with RecordingServer() as server, AiohttpCaller() as caller:
            server.replies.append(reply)
            url = server.url + request.url
            return await caller.call(
                Request(request.method, url, request.body, request.headers, request.timeout, request.largest_answer)
            )

    return asyncio.run(scenario())


def test_an_answer_comes_back_whatever_its_status() -> None:
    answered = call(Request("POST", "/x", b"{}"), Reply(418, b'{"short": true}'))
    assert (answered.status, answered.json()) == (418, {"short": True})
    with pytest.raises(RemoteAnswer, match=r"/x: answered 418"):
        answered.ok()


def test_no_json_is_told() -> None:
    with pytest.raises(RemoteAnswer, match="no JSON: <html>"):
        call(Request("GET", "/"), Reply(200, b"<html>")).json()


@pytest.mark.parametrize(
    ("request_", "reply", "kind"),
    [
        (Request("GET", "/slow", timeout=0.05), Reply(delay=5), RemoteTimeout),
        (Request("GET", "/long", largest_answer=10), Reply(body=b"x" * 11), RemoteTooLarge),
    ],
)
def test_each_failure_has_its_own_error(request_: Request, reply: Reply, kind: type[RemoteError]) -> None:
    with pytest.raises(kind):
        call(request_, reply)


def test_a_refused_connection_and_a_bad_url_are_refusals() -> None:
    async def scenario(url: str) -> None:
        async with AiohttpCaller() as caller:
            await caller.call(Request("GET", url))

    for url in (f"http://127.0.0.1:{free_port()}/", "not a url", "http://"):
        with pytest.raises(RemoteRefused):
            asyncio.run(scenario(url))


def test_a_refusal_is_told_in_a_persons_words() -> None:
    async def scenario(url: str) -> None:
        async with AiohttpCaller() as caller:
            await caller.call(Request("GET", url))

    url = f"http://127.0.0.1:{free_port()}/api"
    with pytest.raises(RemoteRefused) as caught:
        asyncio.run(scenario(url))
    assert str(caught.value) == f"{url}: connection refused"


def test_a_redirect_is_not_followed() -> None:
    assert call(Request("GET", "/"), Reply(302, headers={"Location": "http://example.invalid/"})).status == 302


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:hunter2@h:1/p?token=hunter2#hunter2", "http://h:1/p"),
        ("http://h/", "http://h/"),
        ("nonsense", "<invalid url>"),
    ],
)
def test_a_url_in_an_error_holds_no_credentials(url: str, shown: str) -> None:
    assert safe_url(url) == shown


def test_the_fake_caller_answers_from_its_script_and_keeps_what_was_asked() -> None:
    async def scenario() -> FakeCaller:
        caller = FakeCaller(respond=lambda request: answer(200, {"path": request.url}))
        caller.script.append(answer(503, "busy"))
        caller.script.append(RemoteTimeout("http://fake", "slow"))
        assert (await caller.call(Request("GET", "/a"))).status == 503
        with pytest.raises(RemoteTimeout):
            await caller.call(Request("GET", "/b"))
        assert (await caller.call(Request("GET", "/c"))).json() == {"path": "/c"}
        return caller

    assert [request.url for request in asyncio.run(scenario()).requests] == ["/a", "/b", "/c"]


def test_the_recording_server_tells_what_came_when_too_little_does() -> None:
    async def scenario() -> None:
        async with RecordingServer() as server:
            await server.wait_for(1, timeout=0.01)

    with pytest.raises(TimeoutError, match="expected 1 requests, got 0"):
        asyncio.run(scenario())


async def _garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"this is no HTTP\r\n\r\n")
    writer.close()


def test_no_failure_tells_a_token_of_the_url() -> None:
    """Neither a server that speaks no HTTP nor an address that is none makes us print the address."""

    async def scenario() -> list[str]:
        server = await asyncio.start_server(_garbage, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        told: list[str] = []
        async with AiohttpCaller() as caller, server:
            for url in (f"http://u:sesame@127.0.0.1:{port}/?token=sesame", "u:sesame@host:9090", "ftp://u:sesame@h/"):
                with pytest.raises(RemoteRefused) as caught:
                    await caller.call(Request("GET", url))
                told.append(str(caught.value))
        return told

    told = asyncio.run(scenario())
    assert len(told) == 3
    assert "sesame" not in "".join(told), told
