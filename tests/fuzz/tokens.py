"""Tokens of every kind for the inputs: access tokens with all grants, JSON Web Tokens of all algorithms, and sessions.

An input chooses a token by its place in the list. So seed and number say all of it, but for the letters of the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jwt
import orjson
from jwt.utils import base64url_encode

from tests.kit.access_tokens import Admin, GivenToken
from tests.kit.json_web_tokens import SECRET, claims_of, key_set, signed
from tests.kit.raw_http import Address
from tests.kit.sessions import sign_in
from tests.live.boards import BOARD, OTHER

__all__ = ["Tokens", "make_tokens", "write_keys"]

_ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
_ALL = ["read", "write", "publish", "dashboard", "admin"]
#: Boards and actions of the access tokens.
_SHAPES: tuple[tuple[list[str], list[str]], ...] = (
    (["*"], _ALL),
    ([BOARD], _ALL),
    ([BOARD], ["read"]),
    ([OTHER], _ALL),
    ([BOARD, OTHER], ["read", "write"]),
    (["*"], ["publish"]),
    ([BOARD], ["publish"]),
    (["*"], ["read", "dashboard"]),
    (["*"], ["read", "admin"]),
    (["no-such-board"], ["read", "publish"]),
)
_EXPIRED = 1


@dataclass(frozen=True)
class Tokens:
    """The tokens, and cookies of sessions, always in one order."""

    texts: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()


def write_keys(folder: Path) -> Path:
    """Write the keys of the JSON Web Tokens to a file in `folder`, and return it."""
    keys = orjson.loads(key_set(**{name: name for name in _ALGORITHMS if name != "HS256"}))["keys"]
    keys.append({"kty": "oct", "k": base64url_encode(SECRET.encode()).decode(), "kid": "HS256", "alg": "HS256"})
    path = folder / "keys.json"
    path.write_bytes(orjson.dumps({"keys": keys}))
    return path


async def make_tokens(address: Address, secret: str) -> Tokens:
    """Make all tokens anew, in place of those that the inputs may have revoked."""
    admin = Admin(address, secret)
    for known in await admin.listed():
        await admin.revoke(GivenToken(known["id"], ""))
    made = [await admin.make(f"fuzz {n}", boards=boards, can=can) for n, (boards, can) in enumerate(_SHAPES)]
    revoked = await admin.make("revoked", can=_ALL)
    await admin.revoke(revoked)
    valid = [secret, *(one.secret for one in made), *_json_web_tokens()]
    cookies = [await sign_in(address, text) for text in valid]
    return Tokens((*valid, revoked.secret, *_invalid()), tuple(cookies))


def _json_web_tokens() -> list[str]:
    every = [signed(claims_of(can=_ALL, sub=name), name, kid=name) for name in _ALGORITHMS]
    return [*every, signed(claims_of([OTHER])), signed(claims_of(boardcast=None)), signed(claims_of(boardcast=[1]))]


def _invalid() -> list[str]:
    """Return tokens that have expired, are signed by another key, or by none."""
    expired = [signed(claims_of(exp=_EXPIRED), name, kid=name) for name in _ALGORITHMS]
    confused = signed(claims_of(), "HS256", key="another secret of more than 32 bytes", kid="RS256")
    return [*expired, confused, jwt.encode(claims_of(), "", "none")]
