"""Certificates made on the spot by the openssl program, so that none of them ever expires in a repository."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_DAYS = "2"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key as files."""

    certificate: Path
    key: Path


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=20)


def self_signed(folder: Path, name: str, *names: str) -> Pair:
    """A certificate that vouches for itself; `names` are its alternative names, `DNS:…` or `IP:…`."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    extensions = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
    _openssl("req", "-x509", *_NEW_KEY, "-days", _DAYS, "-subj", f"/CN={name}", *extensions, *_out(pair))
    return pair


def signed(folder: Path, name: str, authority: Pair, *names: str) -> Pair:
    """A certificate that `authority` vouches for."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={','.join(names)}\n" if names else "", encoding="ascii")
    _openssl("req", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", pair.key, "-out", request)
    _openssl(
        *("x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial"),
        *("-days", _DAYS, "-extfile", extensions, "-out", pair.certificate),
    )
    return pair


def encrypted_key(folder: Path, pair: Pair) -> Path:
    """The pair's key under a password."""
    path = folder / "encrypted.key"
    _openssl("pkey", "-in", pair.key, "-aes256", "-passout", "pass:secret", "-out", path)
    return path


def client(trusted: Path, own: Pair | None = None) -> ssl.SSLContext:
    """What a client needs that trusts one certificate, and has one of its own or not."""
    context = ssl.create_default_context(cafile=str(trusted))
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


def _out(pair: Pair) -> tuple[str | Path, ...]:
    return ("-keyout", pair.key, "-out", pair.certificate)
