"""What stands in the web configuration counts at once when it changes, and never opens what was closed."""

import os
import subprocess
import sys
from pathlib import Path

import bcrypt
import pytest

from exporters.testing import RecordingLog
from exporters.web.protection import Bucket, Protection
from exporters.web.settings import Rate
from fenghuo.errors import ConfigError
from tests.exporters.web.certificates import Pair, client, self_signed
from tests.exporters.web.serving import serving

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


def users(**passwords: str) -> str:
    hashes = {name: bcrypt.hashpw(text.encode(), bcrypt.gensalt(4)).decode() for name, text in passwords.items()}
    return "basic_auth_users:\n" + "".join(f"  {name}: {text}\n" for name, text in hashes.items())


def write(path: Path, content: str | bytes) -> None:
    """Replace a file as tools for certificates do: the new one is complete before it has the name."""
    new = path.with_name("new")
    new.write_bytes(content.encode() if isinstance(content, str) else content)
    new.rename(path)


def test_a_stranger_gets_no_answer(folder: Path) -> None:
    """401 with the way in; a wrong password is no better than none. Headers are on every answer."""
    path = folder / "web.yml"
    write(path, f"{users(alice='wonder')}http_server_config:\n  headers:\n    X-Frame-Options: deny\n")
    with serving(path) as site:
        status, headers = site.get()
        assert (status, headers["WWW-Authenticate"], headers["X-Frame-Options"]) == (401, "Basic", "deny")
        assert site.get(user="alice:wrong")[0] == 401
        status, headers = site.get(user="alice:wonder")
        assert (status, headers["X-Frame-Options"]) == (200, "deny")


def test_users_may_come_and_go(folder: Path) -> None:
    """Without a restart, also on a connection that was there before."""
    path = folder / "web.yml"
    write(path, users(alice="wonder"))
    with serving(path) as site:
        connection = site.connect()
        authorization = {"Authorization": "Basic YWxpY2U6d29uZGVy"}
        connection.request("GET", "/", headers=authorization)
        assert connection.getresponse().read() == b"hello"
        write(path, users(bob="builder"))
        connection.request("GET", "/", headers=authorization)
        assert connection.getresponse().status == 401
        connection.close()
        assert site.get(user="bob:builder")[0] == 200


def test_a_renewed_certificate_is_shown_at_once(
    folder: Path, server: Pair, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """To the next connection. While only half of the pair is there, the old one is shown."""
    renewed = self_signed(tmp_path_factory.mktemp("renewed"), "server", "IP:127.0.0.1")
    path = folder / "web.yml"
    write(path, TLS)
    with serving(path) as site:
        write(folder / "server.crt", renewed.certificate.read_bytes())
        assert site.get(client(server.certificate))[0] == 200
        write(folder / "server.key", renewed.key.read_bytes())
        assert site.get(client(renewed.certificate))[0] == 200
        assert [line for line in site.log.lines if "is not used" in line or "read again" in line] == [
            next(line for line in site.log.lines if "is not used" in line and "KEY_VALUES_MISMATCH" in line),
            next(line for line in site.log.lines if "read again" in line),
        ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("nonsense: true\n", "web.yml:1: nonsense: unknown key"),
        ("", "web.yml: expected basic_auth_users to stay until a restart"),
        (f"{TLS}{users(alice='wonder')}", "tls_server_config: expected TLS to stay on or off until a restart"),
        (None, "expected a readable UTF-8 file"),
    ],
)
def test_a_change_that_can_not_be_used_changes_nothing(folder: Path, change: str | None, reason: str) -> None:
    """It is logged once, and not at each request; a half-written file opens nothing."""
    path = folder / "web.yml"
    write(path, users(alice="wonder"))
    with serving(path) as site:
        path.unlink() if change is None else write(path, change)
        for _ in range(3):
            assert site.get()[0] == 401
            assert site.get(user="alice:wonder")[0] == 200
        (line,) = [line for line in site.log.lines if "the changed web configuration is not used" in line]
        assert reason in line
        write(path, users(alice="better"))
        assert site.get(user="alice:better")[0] == 200


CLIENTS = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: server.crt\n"
NAMES = "  client_allowed_sans: [prometheus]\n"


@pytest.mark.parametrize(
    ("text", "less", "barrier"),
    [
        (CLIENTS + NAMES, CLIENTS, "client_allowed_sans"),
        (CLIENTS + users(alice="wonder"), CLIENTS, "basic_auth_users"),
        (CLIENTS + users(alice="wonder"), TLS + users(alice="wonder"), "RequireAndVerifyClientCert"),
    ],
)
def test_one_of_two_barriers_does_not_fall_unnoticed(folder: Path, text: str, less: str, barrier: str) -> None:
    """A file that was cut where its disk was full may be a good file that asks for less."""
    path, log = folder / "web.yml", RecordingLog()
    write(path, text)
    protection = Protection(str(path), log)
    before = protection.config
    write(path, less)
    assert protection.config is before
    assert any(f"expected {barrier} to stay until a restart" in line for line in log.lines)


def test_too_many_requests_are_told_so(folder: Path) -> None:
    """A bucket of two that fills once in an hour."""
    path = folder / "web.yml"
    write(path, "rate_limit:\n  interval: 1h\n  burst: 2\n")
    with serving(path) as site:
        assert [site.get()[0] for _ in range(4)] == [200, 200, 429, 429]
        write(path, "rate_limit:\n  interval: 1h\n  burst: 2\nhttp_server_config: {}\n")
        assert site.get()[0] == 429


def test_a_bucket_fills_as_time_goes_by() -> None:
    """Up to its size and no further."""
    bucket = Bucket(Rate(2.0, 2), now=0.0)
    assert [bucket.take(now) for now in (0, 0, 1, 2, 2, 100, 100, 100)] == [
        *(True, True, False, True, False),
        *(True, True, False),
    ]


def test_a_wrong_file_is_refused_at_the_start(folder: Path) -> None:
    with pytest.raises(ConfigError, match="expected a readable UTF-8 file"):
        Protection(str(folder / "absent.yml"), RecordingLog())


def run(folder: Path, text: str, hidden: str) -> subprocess.CompletedProcess[str]:
    """The exporter with a web configuration, and without one library."""
    (folder / "web.yml").write_text(text, encoding="utf-8")
    (folder / "libraries").mkdir()
    (folder / "libraries" / f"{hidden}.py").write_text(
        f"raise ModuleNotFoundError('No module named {hidden}', name='{hidden}')", encoding="utf-8"
    )
    command = [sys.executable, "-m", "exporters", f"--web.config.file={folder / 'web.yml'}"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "libraries")}
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=environment)


@pytest.mark.parametrize(
    ("hidden", "what"),
    [("yaml", "--web.config.file needs the package"), ("bcrypt", "basic_auth_users needs the package")],
)
def test_a_missing_library_is_named_with_its_extra(folder: Path, hidden: str, what: str) -> None:
    """One line of cause and remedy."""
    result = run(folder, users(alice="wonder"), hidden)
    assert (result.returncode, result.stderr) == (
        1,
        f"python -m exporters: {what} '{hidden}'; pip install 'fenghuo[web]'\n",
    )
