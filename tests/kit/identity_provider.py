"""An identity provider in the manner of Keycloak: a realm with keys and a token endpoint, over https.

The certificate is made for it, and signed by itself.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.kit.json_web_tokens import claims_of, key_set, signed

__all__ = ["IdentityProvider", "identity_provider"]

_REALM = "/realms/work"
_KEY = "key-1"
_CLIENT = {"grant_type": ["client_credentials"], "client_id": ["reader"], "client_secret": ["secret-of-reader"]}
_STOP_SECONDS = 10


@dataclass(frozen=True)
class IdentityProvider:
    """A provider that answers at `https://{name}/realms/work`."""

    name: str
    #: File with its certificate, which clients must trust.
    certificate: Path


@asynccontextmanager
async def identity_provider(folder: Path) -> AsyncIterator[IdentityProvider]:
    """Run a provider whose files are in `folder`."""
    certificate = folder / "certificate.pem"
    certificate.write_bytes(_certificate())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield IdentityProvider(f"localhost:{server.server_address[1]}", certificate)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_STOP_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    """Answers as the endpoints of a realm."""

    def do_GET(self) -> None:
        is_keys = self.path == f"{_REALM}/protocol/openid-connect/certs"
        self._answer(*((HTTPStatus.OK, key_set(**{_KEY: "RS256"})) if is_keys else (HTTPStatus.NOT_FOUND, "{}")))

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path != f"{_REALM}/protocol/openid-connect/token" or form != _CLIENT:
            self._answer(HTTPStatus.UNAUTHORIZED, '{"error":"invalid_client"}')
            return
        issuer = f"https://{self.headers['Host']}{_REALM}"
        token = signed(claims_of(sub="reader", iss=issuer, aud="boardcast"), "RS256", kid=_KEY)
        self._answer(HTTPStatus.OK, orjson.dumps({"access_token": token, "token_type": "Bearer"}).decode())

    def _answer(self, status: HTTPStatus, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _certificate() -> bytes:
    """Return a private key, and a certificate of `localhost` that is signed with it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
