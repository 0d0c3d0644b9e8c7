"""The file of `--web.config.file`, read strictly: TLS, HTTP headers, users, a rate of requests.

The form is that of the Prometheus exporters' toolkit, docs/web-configuration.md of prometheus/exporter-toolkit 0.17.
What Python's ssl can't do is refused, or, where the effect is the same or stricter, accepted with a note.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exporters.web.section import Findings, Section
from fenghuo.durations import parse_duration
from fenghuo.errors import ConfigError
from fenghuo.secrets import Secret
from fenghuo.yamltext import parse_yaml, read_text

LONGEST_PEM = 1 << 20
"""Bytes of a certificate's or key's file that are read at most."""

VERSIONS = {"TLS10": 10, "TLS11": 11, "TLS12": 12, "TLS13": 13}
OLDEST_SERVED = 12

CLIENT_AUTH = {
    "NoClientCert": "none",
    "RequestClientCert": "none",
    "VerifyClientCertIfGiven": "optional",
    "RequireAndVerifyClientCert": "required",
}
"""Which client certificates are asked for. The toolkit knows two more words that take any certificate, verified or
not; Python's ssl verifies whatever it asks for.
"""

CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}

_TLS13_CIPHER = ""
CIPHERS = {
    "TLS_AES_128_GCM_SHA256": _TLS13_CIPHER,
    "TLS_AES_256_GCM_SHA384": _TLS13_CIPHER,
    "TLS_CHACHA20_POLY1305_SHA256": _TLS13_CIPHER,
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""Go's names, by which the file calls them, and OpenSSL's. Those of TLS 1.3 can't be chosen, there as here."""

HEADERS: Mapping[str, tuple[str, ...]] = {
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
    "Content-Security-Policy": (),
}
"""The headers that may be set, and their values where only some make sense."""

_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True, slots=True)
class Tls:
    """How to speak TLS. Certificates and key are PEM texts; `ciphers` are OpenSSL's names, None for its own choice."""

    certificate: str
    key: Secret
    client_auth: str = "none"
    client_ca: str = ""
    client_names: frozenset[str] = frozenset()
    oldest: int = OLDEST_SERVED
    newest: int = 13
    ciphers: tuple[str, ...] | None = None
    prefers_own_order: bool = True
    curve: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of `burst` requests that gets one more each `interval` seconds."""

    interval: float
    burst: int


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the file says. `notes` are what its writer should know about how it is understood."""

    tls: Tls | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, Secret] = field(default_factory=dict)
    rate: Rate | None = None
    notes: tuple[str, ...] = ()

    @property
    def barriers(self) -> frozenset[str]:
        """What keeps strangers out, in words."""
        tls = self.tls
        standing = {
            "basic_auth_users": bool(self.users),
            "RequireAndVerifyClientCert": tls is not None and tls.client_auth == "required",
            "client_allowed_sans": tls is not None and bool(tls.client_names),
        }
        return frozenset(name for name, stands in standing.items() if stands)

    @property
    def authenticates(self) -> bool:
        """Whether a stranger gets no answer."""
        return bool(self.barriers)


Mark = tuple[int, ...]
"""How a file looks from outside; another one means that its content may be another."""


def mark(path: Path) -> Mark:
    """The file's mark at this moment."""
    try:
        status = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Reading:
    """One reading of the file. `marks` has all files that it depends on, as they looked before they were read;
    `findings` is what is wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.marks = {path: mark(path)}
        self.findings = Findings({})
        self._notes: list[str] = []

    def config(self) -> WebConfig:
        """Read the file and those that it names. Raises ConfigError with every problem."""
        values, lines = parse_yaml(read_text(self.path), str(self.path), as_written=True)
        self.findings = Findings(lines)
        top = Section(self.findings, values)
        tls = self._tls(top.section("tls_server_config"))
        headers = _headers(top.section("http_server_config"))
        users = _users(top.section("basic_auth_users"))
        rate = _rate(top.section("rate_limit"))
        top.close()
        self.check()
        return WebConfig(tls, headers, users, rate, tuple(self._notes))

    def check(self) -> None:
        """Raise ConfigError if anything is wrong."""
        if self.findings.problems:
            raise self.error()

    def error(self) -> ConfigError:
        """All that is wrong, from the top of the file to its end."""
        return ConfigError(str(self.path), sorted(self.findings.problems, key=lambda problem: problem.line))

    def _tls(self, section: Section) -> Tls | None:
        if section.empty:
            return None
        certificate, key = self._pem(section, "cert", needed=True), self._pem(section, "key", needed=True)
        given_ca = "client_ca" in section or "client_ca_file" in section
        client_auth, names = self._clients(section, given_ca=given_ca)
        oldest, newest = self._versions(section)
        ciphers, oldest = _ciphers(section, oldest, newest)
        tls = Tls(
            certificate,
            Secret(key),
            client_auth,
            self._pem(section, "client_ca"),
            names,
            oldest,
            newest,
            ciphers,
            section.switch("prefer_server_cipher_suites", default=True),
            self._curve(section),
        )
        section.close()
        return tls

    def _pem(self, section: Section, key: str, *, needed: bool = False) -> str:
        """A PEM text, from the file itself or from another that it names relative to its own folder."""
        inline, name = section.text(key), section.text(f"{key}_file")
        if inline and name:
            section.wrong(key, f"expected one of {key} and {key}_file, not both")
        if needed and not inline and not name:
            section.wrong("", f"expected one of {key} and {key}_file")
        if not name:
            return inline
        path = self.path.parent / name
        try:
            self.marks[path] = mark(path)
            with path.open(encoding="utf-8", errors="replace") as file:  # comments may be in any encoding
                text = file.read(LONGEST_PEM + 1)
        except (OSError, ValueError) as error:  # a ValueError is for a name that no file can have
            reason = error.strerror if isinstance(error, OSError) else str(error)
            section.wrong(f"{key}_file", f"expected a readable PEM file, {path}: {reason}")
            return ""
        if not text.strip() or len(text) > LONGEST_PEM:
            section.wrong(f"{key}_file", f"expected a PEM file of 1 byte to 1 MiB, {path} has {len(text)}")
        return text

    def _clients(self, section: Section, *, given_ca: bool) -> tuple[str, frozenset[str]]:
        client_auth = section.choice("client_auth_type", CLIENT_AUTH, "none")
        names = frozenset(section.list_of_texts("client_allowed_sans"))
        if client_auth == "none" and (given_ca or names):
            section.wrong(
                "client_auth_type", "expected RequireAndVerifyClientCert beside client_ca or client_allowed_sans"
            )
        if names:
            client_auth = "required"  # who shows no certificate has none of these names
        if client_auth == "required" and not given_ca:
            self._notes.append("client certificates of every authority that this system trusts are accepted")
        return client_auth, names

    def _versions(self, section: Section) -> tuple[int, int]:
        oldest = section.choice("min_version", VERSIONS, OLDEST_SERVED)
        newest = section.choice("max_version", VERSIONS, 13)
        if oldest < OLDEST_SERVED:
            self._notes.append("TLS 1.2 is the oldest that is spoken, whatever min_version says")
        if newest < max(oldest, OLDEST_SERVED):
            section.wrong("max_version", "expected TLS12 or TLS13, and not less than min_version")
        return max(oldest, OLDEST_SERVED), newest

    def _curve(self, section: Section) -> str:
        curves = section.list_of_texts("curve_preferences", CURVES)
        if len(curves) > 1:
            self._notes.append("only the first of curve_preferences is used: Python's ssl takes one")
        return curves[0] if curves else ""


def _ciphers(section: Section, oldest: int, newest: int) -> tuple[tuple[str, ...] | None, int]:
    """OpenSSL's names, and the oldest version that they leave: without one for TLS 1.2 that is TLS 1.3."""
    names = section.list_of_texts("cipher_suites", CIPHERS)
    chosen = tuple(name for name in names if name != _TLS13_CIPHER)
    if names and not chosen and newest == OLDEST_SERVED:
        section.wrong("cipher_suites", "expected one for TLS 1.2 as well, which max_version asks for")
    return (chosen or None, 13 if names and not chosen else oldest)


def _headers(section: Section) -> dict[str, str]:
    section.switch("http2", default=True)  # we speak HTTP/1.1, which every client of HTTP/2 speaks too
    headers = section.section("headers")
    section.close()
    found = {name: value for name, value in headers.texts().items() if value}
    for name, value in found.items():
        allowed = HEADERS.get(name)
        if allowed is None:
            headers.wrong(name, f"expected one of the headers {', '.join(HEADERS)}")
        elif allowed and value not in allowed:
            headers.wrong(name, f"expected one of {', '.join(allowed)}", value)
        elif not (value.isascii() and value.isprintable()):
            headers.wrong(name, "expected printable ASCII characters", value)
    return found


def _users(section: Section) -> dict[str, Secret]:
    users = section.texts()
    for name, value in users.items():
        if not name or ":" in name:
            section.wrong(name, "expected a user's name of at least one character and without a colon")
        if not _BCRYPT.fullmatch(value):
            section.wrong(name, "expected the password's bcrypt hash, such as htpasswd -nBC 10 NAME prints it")
    return {name: Secret(value) for name, value in users.items()}


def _rate(section: Section) -> Rate | None:
    written, burst = section.text("interval", "0"), section.text("burst", "0")
    section.close()
    try:
        interval = parse_duration(written)
    except ValueError as error:
        section.wrong("interval", str(error))
        return None
    count = int(burst) if burst.isdecimal() and len(burst) < 10 else -1
    if count < (1 if interval else 0):
        section.wrong("burst", "expected a whole number of requests, at least 1", burst)
    return Rate(interval, count) if interval else None
