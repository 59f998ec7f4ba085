"""Tokens and keys for tests: what an identity provider would make."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["SECRET", "SIGNERS", "claims_of", "key_set", "pem_of", "signed"]

SECRET = "a-shared-secret-of-at-least-32-bytes!"
#: Algorithm → a private key for it.
SIGNERS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "HS256": SECRET,
}


def claims_of(boards: Sequence[str] = ("*",), can: Sequence[str] = ("read",), **others: Any) -> dict[str, Any]:
    """Return the claims of a token that is valid for an hour; `others` replace or add some, None takes one away."""
    grants = {"boards": list(boards), "can": list(can)}
    claims = {"sub": "ada", "exp": int(time.time()) + 3600, "boardcast": grants, **others}
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], algorithm: str = "HS256", key: Any = None, **header: Any) -> str:
    """Return a token with these claims."""
    return jwt.encode(claims, SIGNERS[algorithm] if key is None else key, algorithm, header)


def pem_of(algorithm: str) -> str:
    """Return the public key for an algorithm."""
    public = SIGNERS[algorithm].public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def key_set(**ids: str) -> str:
    """Return a JSON Web Key Set: the public key for the algorithm of each id."""
    members = []
    for id, algorithm in ids.items():
        kind = jwt.get_algorithm_by_name(algorithm)
        members.append({**kind.to_jwk(SIGNERS[algorithm].public_key(), as_dict=True), "kid": id, "alg": algorithm})
    return json.dumps({"keys": members})
