"""Certificates made on the spot, so that none of them ever expires in a repository."""

import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

_LIFE = timedelta(days=2)
_USES = ("digital_signature", "key_cert_sign")
_NO_USES = (
    *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"),
    *("encipher_only", "decipher_only"),
)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key as files."""

    certificate: Path
    key: Path


def self_signed(folder: Path, name: str, *names: str) -> Pair:
    """A certificate that vouches for itself; `names` are its alternative names, `DNS:…`, `IP:…`, `email:…`, `URI:…`."""
    return _issued(folder, name, _alternative(names), None)


def signed(folder: Path, name: str, authority: Pair, *names: str) -> Pair:
    """A certificate that `authority` vouches for."""
    return _issued(folder, name, _alternative(names), authority)


def signed_with_bad_names(folder: Path, name: str, authority: Pair, names: bytes) -> Pair:
    """One whose alternative names are these bytes, which no tool would write."""
    return _issued(folder, name, x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names), authority)


def encrypted_key(folder: Path, pair: Pair) -> Path:
    """The pair's key under a password."""
    path = folder / "encrypted.key"
    key = load_pem_private_key(pair.key.read_bytes(), None)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    return path


def client(trusted: Path, own: Pair | None = None) -> ssl.SSLContext:
    """What a client needs that trusts one certificate, and has one of its own or not."""
    context = ssl.create_default_context(cafile=str(trusted))
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


def _extensions(
    own: ec.EllipticCurvePublicKey, issuer: ec.EllipticCurvePublicKey
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """What a strict client asks for, as Python's is since 3.13, and whether it is critical."""
    vouches = own == issuer
    yield x509.BasicConstraints(ca=vouches, path_length=None), True
    yield x509.SubjectKeyIdentifier.from_public_key(own), False
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False
    if vouches:
        yield x509.KeyUsage(**dict.fromkeys(_USES, True), **dict.fromkeys(_NO_USES, False)), True


def _issued(folder: Path, name: str, names: x509.ExtensionType | None, authority: Pair | None) -> Pair:
    """A new pair as files; its own authority when there is none."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    own = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer, key = (subject, own) if authority is None else _opened(authority)
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, own.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - _LIFE).not_valid_after(now + _LIFE)
    for extension, critical in _extensions(own.public_key(), key.public_key()):
        builder = builder.add_extension(extension, critical)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    pair.certificate.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    pair.key.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pair


def _opened(authority: Pair) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    key = load_pem_private_key(authority.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate(authority.certificate.read_bytes()).subject, key


def _alternative(names: tuple[str, ...]) -> x509.SubjectAlternativeName | None:
    return x509.SubjectAlternativeName([_general(*name.split(":", 1)) for name in names]) if names else None


def _general(kind: str, name: str) -> x509.GeneralName:
    if kind == "IP":
        return x509.IPAddress(ipaddress.ip_address(name))
    if kind == "DNS":
        return x509.DNSName(name)
    return x509.RFC822Name(name) if kind == "email" else x509.UniformResourceIdentifier(name)
