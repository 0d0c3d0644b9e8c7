"""TLS by Python's ssl: a context from the settings, and the greeting of one connection."""

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from exporters.messages import Refused
from exporters.web.settings import OLDEST_SERVED, Tls

_VERSIONS = {OLDEST_SERVED: ssl.TLSVersion.TLSv1_2, 13: ssl.TLSVersion.TLSv1_3}
_CLIENT_AUTH = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}

_HANDSHAKE = b"\x16"
"""The first byte of every TLS connection, RFC 8446 section 5.1."""


class Unfit(Exception):
    """A certificate, key or choice that OpenSSL does not take; `key` is its name in the file."""

    def __init__(self, key: str, expected: str) -> None:
        self.key = key
        self.expected = expected
        super().__init__(expected)


def server_context(tls: Tls) -> ssl.SSLContext:
    """OpenSSL set up as the settings say. Raises Unfit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = _VERSIONS[tls.oldest], _VERSIONS[tls.newest]
    context.options |= ssl.OP_NO_RENEGOTIATION
    if not tls.prefers_own_order:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    context.verify_mode = _CLIENT_AUTH[tls.client_auth]
    if tls.ciphers is not None:
        context.set_ciphers(":".join(tls.ciphers))
    if tls.curve:
        _set_curve(context, tls.curve)
    _load_own(context, tls)
    _load_authorities(context, tls)
    return context


def greet(connection: socket.socket, context: ssl.SSLContext, names: frozenset[str]) -> ssl.SSLSocket:
    """The connection with TLS on it, after the handshake; with `names`, the client's certificate has one of them.

    Takes as long as the connection's time-out, all in all twice that. Raises Refused for a client that speaks
    plain HTTP, else OSError.
    """
    first = connection.recv(1, socket.MSG_PEEK)
    if first and first != _HANDSHAKE:
        raise Refused(400, "expected HTTPS: only TLS is spoken here")
    channel = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    try:
        channel.do_handshake()
        _check_names(channel, names)
    except BaseException:
        channel.close()
        raise
    return channel


def _check_names(channel: ssl.SSLSocket, names: frozenset[str]) -> None:
    try:
        allowed = not names or not names.isdisjoint(_names(channel.getpeercert() or {}))
    except ValueError as error:  # an address of three bytes, a name that is no text
        raise ConnectionAbortedError(f"the client's certificate has names that can't be read: {error}") from error
    if not allowed:
        raise ConnectionAbortedError("the client's certificate has none of client_allowed_sans")


def _set_curve(context: ssl.SSLContext, curve: str) -> None:
    try:
        context.set_ecdh_curve(curve)
    except (ValueError, ssl.SSLError) as error:
        raise Unfit("curve_preferences", f"expected a curve that this OpenSSL knows, not {curve}") from error


def _load_own(context: ssl.SSLContext, tls: Tls) -> None:
    """Both texts go by a file in memory: ssl reads from files only, and a key has no business on a disk."""
    try:
        with _MemoryFile(tls.certificate) as certificate, _MemoryFile(tls.key.reveal()) as key:
            # without a password OpenSSL would ask for one at the terminal
            context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "reason", None) or "one of them is no PEM, or the key is encrypted"
        raise Unfit("cert", f"expected a certificate and the key that belongs to it ({reason})") from error


def _load_authorities(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.client_ca:
        try:
            context.load_verify_locations(cadata=tls.client_ca.encode("ascii", "ignore").decode())
        except (OSError, ValueError) as error:
            raise Unfit("client_ca", "expected at least one PEM certificate") from error
    elif tls.client_auth != "none":
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)


class _MemoryFile:
    """A file without a folder; inside `with` it has a path for this process."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._descriptor = -1

    def __enter__(self) -> str:
        self._descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
        os.write(self._descriptor, self._text.encode())
        return f"/proc/self/fd/{self._descriptor}"

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _names(certificate: dict[str, Any]) -> Iterator[str]:
    """The alternative names of a certificate: DNS, mail, IP as Go writes it, URI."""
    for kind, name in certificate.get("subjectAltName", ()):
        if kind in ("DNS", "email", "URI"):
            yield name
        elif kind == "IP Address":
            yield str(ipaddress.ip_address(name.strip()))
