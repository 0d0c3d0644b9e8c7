"""The web configuration is the toolkit's, and what is wrong in it is told at once, with its line."""

from pathlib import Path

import pytest

from exporters.web.settings import Rate, Reading, WebConfig
from fenghuo.errors import ConfigError

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


def read(folder: Path, text: str) -> WebConfig:
    path = folder / "web.yml"
    path.write_text(text, encoding="utf-8")
    return Reading(path).config()


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_an_empty_file_asks_for_nothing(folder: Path) -> None:
    assert read(folder, "") == WebConfig()
    assert read(folder, "tls_server_config: {}\nbasic_auth_users:\n") == WebConfig()


def test_files_are_looked_for_beside_the_configuration(folder: Path) -> None:
    """Whatever folder the exporter was started in."""
    tls = read(folder, TLS).tls
    assert tls is not None
    assert tls.certificate == (folder / "server.crt").read_text(encoding="ascii")
    assert tls.key.reveal() == (folder / "server.key").read_text(encoding="ascii")
    assert (tls.oldest, tls.newest, tls.client_auth) == (12, 13, "none")


def test_everything_that_the_toolkit_knows_is_understood(folder: Path) -> None:
    config = read(
        folder,
        f"""
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: server.crt
  client_allowed_sans: [prometheus.example.org]
  min_version: TLS12
  max_version: TLS12
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256]
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
    X-XSS-Protection: 1
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    Content-Security-Policy: ""
basic_auth_users:
  alice: {HASH}
  1234: {HASH}
rate_limit:
  interval: 500ms
  burst: 3
""",
    )
    assert config.tls is not None
    assert (config.tls.client_auth, config.tls.client_names) == ("required", frozenset({"prometheus.example.org"}))
    assert (config.tls.oldest, config.tls.newest) == (12, 12)
    assert config.tls.ciphers == ("ECDHE-RSA-AES256-GCM-SHA384",)
    assert (config.tls.prefers_own_order, config.tls.curve) == (False, "prime256v1")
    assert config.headers == {
        "Strict-Transport-Security": "max-age=31536000",
        "X-XSS-Protection": "1",
        "X-Frame-Options": "deny",
        "X-Content-Type-Options": "nosniff",
    }
    assert sorted(config.users) == ["1234", "alice"]
    assert config.rate == Rate(0.5, 3)
    assert config.notes == ()
    assert config.authenticates


def test_ciphers_of_tls_1_3_alone_leave_no_other_version(folder: Path) -> None:
    """They can't be chosen, but a client of TLS 1.2 would find none."""
    tls = read(folder, f"{TLS}  cipher_suites: [TLS_AES_256_GCM_SHA384]\n").tls
    assert tls is not None
    assert (tls.ciphers, tls.oldest) == (None, 13)


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ("  min_version: TLS10\n", "TLS 1.2 is the oldest that is spoken, whatever min_version says"),
        (
            "  curve_preferences: [X25519, CurveP256]\n",
            "only the first of curve_preferences is used: Python's ssl takes one",
        ),
        (
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca: ''\n",
            "client certificates of every authority that this system trusts are accepted",
        ),
    ],
)
def test_what_is_understood_more_strictly_is_said(folder: Path, more: str, note: str) -> None:
    assert read(folder, TLS + more).notes == (note,)


def test_a_name_that_a_certificate_must_have_asks_for_a_certificate(folder: Path) -> None:
    """A client without one has none of the names."""
    more = "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: server.crt\n  client_allowed_sans: [one]\n"
    assert read(folder, TLS + more).authenticates
    assert not read(folder, TLS + more.replace("  client_allowed_sans: [one]\n", "")).authenticates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hWkNKCp3fvIx3jKnsaBI\nTuEjdwNS8A2vYdFbiKqr\n", ["web.yml:1: expected a mapping of keys to values"]),
        ("tls_server_config: [", ["expected valid YAML"]),
        ("tls_config: {}\n", ["web.yml:1: tls_config: unknown key, expected none of this name"]),
        (
            "tls_server_config:\n  cert_filse: server.crt\n",
            [
                "web.yml:1: tls_server_config: expected one of cert and cert_file",
                "web.yml:1: tls_server_config: expected one of key and key_file",
                "web.yml:2: tls_server_config.cert_filse: unknown key, expected none of this name",
            ],
        ),
        (
            "tls_server_config:\n  cert_file: absent.crt\n  key: ''\n",
            [
                "web.yml:1: tls_server_config: expected one of key and key_file",
                "tls_server_config.cert_file: expected a readable PEM file, absent.crt: No such file or directory",
            ],
        ),
        (
            'tls_server_config:\n  cert_file: "a\\0b"\n  key_file: server.key\n',
            ["web.yml:2: tls_server_config.cert_file: expected a readable PEM file, a\0b: embedded null byte"],
        ),
        (f"{TLS}  cert: text\n", ["tls_server_config.cert: expected one of cert and cert_file, not both"]),
        (f"{TLS}  client_ca_file: /dev/null\n", ["client_auth_type: expected RequireAndVerify", "/dev/null has 0"]),
        (f"{TLS}  client_allowed_sans: [a]\n", ["client_auth_type: expected RequireAndVerifyClientCert beside"]),
        (f"{TLS}  client_allowed_sans: a\n", ["web.yml:4: tls_server_config.client_allowed_sans: expected a list"]),
        (
            f"{TLS}  client_auth_type: RequireAnyClientCert\n",
            [
                "VerifyClientCertIfGiven, RequireAndVerifyClientCert, got 'RequireAnyClientCert'",
            ],
        ),
        (f"{TLS}  min_version: TLS111\n", ["min_version: expected one of TLS10, TLS11, TLS12, TLS13, got 'TLS111'"]),
        (f"{TLS}  max_version: TLS11\n", ["max_version: expected TLS12 or TLS13, and not less than min_version"]),
        (f"{TLS}  min_version: TLS13\n  max_version: TLS12\n", ["web.yml:5: tls_server_config.max_version: expected"]),
        (f"{TLS}  curve_preferences: [CurveP257]\n", ["web.yml:4: tls_server_config.curve_preferences[0]: expected"]),
        (
            f"{TLS}  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048\n",
            ["web.yml:5: tls_server_config.cipher_suites[0]: expected one of TLS_AES_128_GCM_SHA256,"],
        ),
        (
            f"{TLS}  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  max_version: TLS12\n",
            ["cipher_suites: expected one for TLS 1.2 as well, which max_version asks for"],
        ),
        (f"{TLS}  prefer_server_cipher_suites: maybe\n", ["expected true or false, got 'maybe'"]),
        (
            "http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n    Content-Type: foo\n",
            [
                "web.yml:3: http_server_config.headers.X-Content-Type-Options: expected one of nosniff, got 'sniff'",
                "web.yml:4: http_server_config.headers.Content-Type: expected one of the headers",
            ],
        ),
        ('http_server_config:\n  headers:\n    X-XSS-Protection: "a\\r\\nb: c"\n', ["expected printable ASCII"]),
        (
            f"basic_auth_users:\n  al:ice: {HASH}\n  bob:\n",
            [
                "web.yml:2: basic_auth_users.al:ice: expected a user's name of at least one character and without a",
                "web.yml:3: basic_auth_users.bob: expected the password's bcrypt hash",
            ],
        ),
        (f"basic_auth_users:\n  null: {HASH}\n", ["web.yml:1: basic_auth_users: expected every key to be a text"]),
        ("rate_limit:\n  interval: 1.5 s\n", ["rate_limit.interval: expected a duration such as 30s"]),
        ("rate_limit:\n  interval: 1s\n", ["rate_limit.burst: expected a whole number of requests, at least 1"]),
    ],
)
def test_every_mistake_is_told_with_its_line(folder: Path, text: str, expected: list[str]) -> None:
    """Each with its road to the value and what should stand there."""
    told = problems(folder, text)
    assert len(told) == len(expected)
    for line, part in zip(told, expected, strict=True):
        assert part in line


def test_secrets_are_never_repeated(folder: Path) -> None:
    """Neither where they are wrong nor where the settings are shown."""
    told = problems(folder, "basic_auth_users:\n  alice: hunter2\ntls_server_config:\n  key: [hunter3]\n  cert: x\n")
    assert "hunter" not in "\n".join(told)
    assert HASH not in repr(read(folder, f"{TLS}basic_auth_users:\n  alice: {HASH}\n"))
    assert "PRIVATE KEY" not in repr(read(folder, TLS))
