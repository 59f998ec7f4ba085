"""Keys that verify JSON Web Tokens: a secret, a PEM text or a JSON Web Key Set → keys, each for one algorithm.

The key decides about the algorithm, never the token: otherwise a client could sign with a public key as if it were a
secret ("key confusion"), or not at all (`none`). https://www.rfc-editor.org/rfc/rfc8725#section-3.1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

__all__ = ["ALGORITHMS", "BadKey", "Key", "keys_of", "keys_of_set", "matching"]

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
#: Least size of a secret for HS256 (RFC 7518, 3.2), and of a modulus for RS256 (3.3).
SECRET_BYTES, MODULUS_BITS = 32, 2048
#: Most keys of a set that are read.
MAX_KEYS = 100


class BadKey(ValueError):
    """The text is no key; the message says what was expected, and repeats nothing of the text."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and its algorithm."""

    #: `kid`; None = the key has no name, and is tried for every token.
    id: str | None
    algorithm: str
    #: The key in the form that PyJWT takes.
    material: Any


def keys_of(text: str) -> list[Key]:
    """Return the keys of a text: of a JSON Web Key (Set), a PEM public key, or a secret.

    Raises:
        BadKey: it has none.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return keys_of_set(stripped, allow_secrets=True)
    if stripped.startswith("-----BEGIN"):
        return [_of_pem(stripped)]
    secret = stripped.encode()
    if len(secret) < SECRET_BYTES:
        raise BadKey(f"expected a secret of at least {SECRET_BYTES} bytes, got {len(secret)}")
    return [Key(None, "HS256", secret)]


def keys_of_set(text: str | bytes, *, allow_secrets: bool) -> list[Key]:
    """Return the keys of a JSON Web Key (Set) that verify signatures by an algorithm of ours; skip the others.

    Raises:
        BadKey: the text is no set, or none of its keys is usable.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadKey(f"expected a JSON Web Key Set, got no JSON: {error}") from None
    members = document.get("keys", [document]) if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise BadKey('expected a JSON Web Key Set, an object with "keys"')
    found = [key for member in members[:MAX_KEYS] if (key := _of_member(member, allow_secrets=allow_secrets))]
    if not found:
        raise BadKey(f"expected a JSON Web Key Set with a key for {', '.join(ALGORITHMS)}, got none")
    return found


def _of_member(member: Any, *, allow_secrets: bool) -> Key | None:
    if not isinstance(member, dict) or member.get("use", "sig") != "sig":
        return None
    if member.get("kty") == "oct" and not allow_secrets:
        return None  # everybody can read a public document
    try:
        parsed = jwt.PyJWK.from_dict(member)
    except jwt.PyJWTError:
        return None
    id = member.get("kid")
    if parsed.algorithm_name not in ALGORITHMS or not _is_strong(parsed.key):
        return None
    return Key(id if isinstance(id, str) else None, parsed.algorithm_name, parsed.key)


def _is_strong(material: Any) -> bool:
    if isinstance(material, bytes):
        return len(material) >= SECRET_BYTES
    return not isinstance(material, RSAPublicKey) or material.key_size >= MODULUS_BITS


def _of_pem(text: str) -> Key:
    if "PRIVATE KEY" in text:
        raise BadKey("expected a public key, got a private one; the server only verifies tokens")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("expected a PEM public key (-----BEGIN PUBLIC KEY-----)") from None
    if isinstance(key, RSAPublicKey) and key.key_size >= MODULUS_BITS:
        return Key(None, "RS256", key)
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return Key(None, "ES256", key)
    if isinstance(key, Ed25519PublicKey):
        return Key(None, "EdDSA", key)
    raise BadKey(f"expected an RSA key of at least {MODULUS_BITS} bits, a P-256 or an Ed25519 key, got another one")


def matching(keys: Sequence[Key], id: str | None, algorithm: str) -> list[Key]:
    """Return the keys that may have signed a token with this `kid` and `alg`."""
    return [key for key in keys if key.algorithm == algorithm and (key.id is None or id is None or key.id == id)]
