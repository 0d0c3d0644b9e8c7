"""TLS as clients on the network meet it: who is let in, who is not, and nobody holds up the others."""

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from exporters.serve import Limits
from exporters.web.settings import Reading
from exporters.web.tls import greet, server_context
from fenghuo.errors import ConfigError
from tests.exporters.web.certificates import (
    Pair,
    client,
    encrypted_key,
    self_signed,
    signed,
    signed_with_bad_names,
)
from tests.exporters.web.serving import serving

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


def config(folder: Path, text: str) -> Path:
    path = folder / "web.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_client_that_trusts_the_certificate_is_served(folder: Path, server: Pair) -> None:
    """By name and by address, with TLS 1.3 and 1.2; one connection serves many requests."""
    with serving(config(folder, TLS)) as site:
        assert site.get(client(server.certificate))[0] == 200
        old = client(server.certificate)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert site.get(old)[0] == 200
        connection = site.connect(client(server.certificate))
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"hello"
        connection.close()


def test_certificate_and_key_may_stand_in_the_file(folder: Path, server: Pair) -> None:
    """Indented, as YAML wants it; nothing is written to a disk."""
    texts = [path.read_text(encoding="ascii").replace("\n", "\n    ") for path in (server.certificate, server.key)]
    text = f"tls_server_config:\n  cert: |\n    {texts[0]}\n  key: |\n    {texts[1]}\n"
    with serving(config(folder, text)) as site:
        assert site.get(client(server.certificate))[0] == 200


def test_plain_http_is_told_that_tls_is_spoken(folder: Path) -> None:
    """Prometheus with `scheme: http` shows this status; the certificate's owner need not guess."""
    with serving(config(folder, TLS)) as site:
        assert site.get()[0] == 400


def test_versions_and_ciphers_are_those_of_the_file(folder: Path, server: Pair) -> None:
    """A client that has none of them is refused."""
    with serving(config(folder, f"{TLS}  min_version: TLS13\n")) as site:
        old = client(server.certificate)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            site.get(old)
        assert site.get(client(server.certificate))[0] == 200
    chosen = "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n"
    with serving(config(folder, TLS + chosen)) as site:
        other = client(server.certificate)
        other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        with pytest.raises(ssl.SSLError):
            site.get(other)
        assert site.get(client(server.certificate))[0] == 200


@pytest.mark.parametrize("curve", ["CurveP256", "CurveP384", "CurveP521", "X25519"])
def test_a_curve_can_be_chosen(folder: Path, server: Pair, curve: str) -> None:
    """Each that the toolkit knows, OpenSSL knows too."""
    with serving(config(folder, f"{TLS}  curve_preferences: [{curve}]\n")) as site:
        assert site.get(client(server.certificate))[0] == 200


MUTUAL = f"""{TLS}  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: authority.crt
"""


@pytest.fixture
def authority(folder: Path) -> Pair:
    """Whom the server trusts to name clients."""
    return self_signed(folder, "authority")


def refused(port: int, context: ssl.SSLContext) -> bool:
    """Whether the server ends the connection; with TLS 1.3 a client may learn that only when it reads."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return True
    finally:
        connection.close()
    return False


def test_a_client_needs_a_certificate_of_the_authority(folder: Path, server: Pair, authority: Pair) -> None:
    """None, or one of somebody else's, is not enough."""
    known, stranger = signed(folder, "known", authority), self_signed(folder, "stranger")
    with serving(config(folder, MUTUAL)) as site:
        assert site.protection.config.authenticates
        assert not refused(site.port, client(server.certificate, known))
        assert refused(site.port, client(server.certificate, stranger))
        assert refused(site.port, client(server.certificate))
        assert any("a client was not let in" in line for line in site.log.lines)


@pytest.mark.parametrize(
    "name", ["DNS:prometheus.example.org", "IP:2001:db8::1", "email:a@example.org", "URI:spiffe://a"]
)
def test_a_client_may_be_asked_for_a_name(folder: Path, server: Pair, authority: Pair, name: str) -> None:
    """Any kind of alternative name, written as Go writes it."""
    known, other = signed(folder, "known", authority, name), signed(folder, "other", authority, "DNS:other.example.org")
    wanted = name.partition(":")[2]
    with serving(config(folder, f"{MUTUAL}  client_allowed_sans: ['{wanted}', one]\n")) as site:
        assert not refused(site.port, client(server.certificate, known))
        assert refused(site.port, client(server.certificate, other))
        assert refused(site.port, client(server.certificate, signed(folder, "nameless", authority)))
        assert refused(site.port, client(server.certificate))


def shake_hands(connection: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError), context.wrap_socket(connection, server_hostname="127.0.0.1") as channel:
        channel.recv(1)


@pytest.mark.parametrize("names", ["3005 8703010203", "3003 8201ff"])
def test_names_that_can_not_be_read_are_no_names(folder: Path, server: Pair, authority: Pair, names: str) -> None:
    """An address of three bytes, a name that is no text: the client is not let in, and no thread fails."""
    odd = signed_with_bad_names(folder, "odd", authority, bytes.fromhex(names))
    tls = Reading(config(folder, f"{MUTUAL}  client_allowed_sans: [one]\n")).config().tls
    assert tls is not None
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=shake_hands, args=(theirs, client(server.certificate, odd)))
    thread.start()
    with pytest.raises(ConnectionAbortedError, match="the client's certificate has names that can't be read"):
        greet(ours, server_context(tls), tls.client_names)
    thread.join(5)
    assert not thread.is_alive()


def test_an_authority_may_come_with_comments(folder: Path, server: Pair, authority: Pair) -> None:
    """In any language, as in the bundles that systems have."""
    known = signed(folder, "known", authority)
    authority.certificate.write_bytes("# Főtanúsítvány\n".encode() + b"# \xff\n" + authority.certificate.read_bytes())
    with serving(config(folder, MUTUAL)) as site:
        assert not refused(site.port, client(server.certificate, known))


def test_a_certificate_may_be_welcome_and_not_asked_for(folder: Path, server: Pair, authority: Pair) -> None:
    """`VerifyClientCertIfGiven` turns wrong ones away, and nobody else."""
    text = MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    with serving(config(folder, text)) as site:
        assert not site.protection.config.authenticates
        assert not refused(site.port, client(server.certificate))
        assert refused(site.port, client(server.certificate, self_signed(folder, "stranger")))


def test_a_silent_client_holds_up_nobody(folder: Path, server: Pair) -> None:
    """Handshakes are not the accept loop's business, and end when their time is over."""
    with (
        serving(config(folder, TLS), Limits(transfer=0.5)) as site,
        socket.create_connection(("127.0.0.1", site.port), timeout=5) as silent,
        socket.create_connection(("127.0.0.1", site.port), timeout=5) as halting,
    ):
        halting.sendall(b"\x16\x03\x01")
        assert site.get(client(server.certificate))[0] == 200
        assert silent.recv(1) == b""
        assert halting.recv(1) == b""


@pytest.mark.parametrize(
    ("certificate", "key", "expected"),
    [
        ("server.crt", "other.key", "web.yml:2: tls_server_config.cert_file: expected a certificate and the key that"),
        ("server.key", "server.key", "expected a certificate and the key that belongs to it"),
        ("server.crt", "encrypted.key", "expected a certificate and the key that belongs to it"),
    ],
)
def test_what_openssl_does_not_take_is_a_mistake_in_the_file(
    folder: Path, server: Pair, certificate: str, key: str, expected: str
) -> None:
    """It is told at the start, and nobody is asked for a password."""
    self_signed(folder, "other")
    encrypted_key(folder, server)
    text = f"tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n"
    with pytest.raises(ConfigError, match="expected") as caught, serving(config(folder, text)):
        pass
    assert expected in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "key"), [("client_ca_file: server.key", "client_ca_file"), ("client_ca: äää", "client_ca")]
)
def test_an_authority_that_is_none_is_a_mistake_in_the_file(folder: Path, line: str, key: str) -> None:
    text = MUTUAL.replace("client_ca_file: authority.crt", line)
    expected = f"web.yml:5: tls_server_config.{key}: expected at least one PEM certificate"
    with pytest.raises(ConfigError, match=expected), serving(config(folder, text)):
        pass
