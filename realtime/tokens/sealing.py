"""Sealed tokens: the secret of a session finds it in the store, and opens the token there.

Neither the store alone nor the secret alone gives the token away (docs/decisions/0055-a-session-is-a-sealed-token.md).
"""

from __future__ import annotations

import hmac
from secrets import token_urlsafe

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["SECRET_CHARS", "new_session_secret", "place_of", "seal", "unseal"]

#: Random bytes of a secret, and its characters in base64url.
SECRET_BYTES, SECRET_CHARS = 32, 43
#: Of a key that encrypts one text only, the nonce need not be random.
_NONCE = bytes(12)


def new_session_secret() -> str:
    """Return a new secret."""
    return token_urlsafe(SECRET_BYTES)


def place_of(secret: str) -> bytes:
    """Return the digest under which the session with this secret is stored."""
    return _derived(secret, b"place")


def seal(secret: str, token: str) -> bytes:
    """Return the token, encrypted for this secret; no secret may seal two tokens."""
    return AESGCM(_derived(secret, b"key")).encrypt(_NONCE, token.encode(errors="surrogatepass"), None)


def unseal(secret: str, sealed: bytes) -> str | None:
    """Return the token, None if this secret has not sealed it, or the sealed bytes were changed."""
    try:
        opened = AESGCM(_derived(secret, b"key")).decrypt(_NONCE, sealed, None)
    except InvalidTag:
        return None
    return opened.decode(errors="surrogatepass")


def _derived(secret: str, purpose: bytes) -> bytes:
    # The secret has 256 random bits, so one round is enough, and neither result says anything about the other.
    return hmac.digest(secret.encode(), b"boardcast session " + purpose, "sha256")
