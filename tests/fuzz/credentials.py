"""The token of an input, in one of the places that may hold a token."""

from __future__ import annotations

import random
from urllib.parse import quote

from tests.fuzz.inputs import Access, Facts
from tests.fuzz.mutate import text_near

__all__ = ["Lines", "bearer_of", "give"]

Lines = list[tuple[bytes, bytes]]
_WRONG_TOKENS = (b"wrong-token-0123456789", b"", b"\xff\xfe", b"a" * 5_000, b"%00", b"x y", b'"')
_PROTOCOL = b"Sec-WebSocket-Protocol"


def bearer_of(rng: random.Random, access: Access, facts: Facts) -> str | None:
    """Return a token for a message: often that which may do everything. None = none."""
    if access is Access.NONE:
        return None
    known = facts.tokens.texts
    if access is Access.TOKEN:
        return rng.choice(known) if known and rng.random() < 0.5 else facts.token
    return _near(rng, rng.choice(known)) if known and rng.random() < 0.7 else text_near(rng)


def give(rng: random.Random, access: Access, facts: Facts, target: bytes, lines: Lines) -> tuple[bytes, Lines]:
    """Return the target and the header lines of a request with a token in some place."""
    if access is Access.NONE or facts.token is None:
        return target, lines
    if access is Access.WRONG and rng.random() < 0.4:
        scheme = rng.choice((b"Bearer ", b"bearer", b"Basic ", b"", b"Bearer\t"))
        name = rng.choice((b"Authorization", b"Cookie"))
        return target, [(name, scheme + rng.choice(_WRONG_TOKENS)), *lines]
    token = (bearer_of(rng, access, facts) or "").encode("utf-8", "replace")
    roll = rng.random()
    if roll < 0.6:
        return target, [(b"Authorization", b"Bearer " + token), *lines]
    if roll < 0.75:
        return target + (b"&" if b"?" in target else b"?") + b"access_token=" + quote(token).encode(), lines
    if roll < 0.9 and facts.tokens.cookies:
        return target, [_cookie(rng, access, facts), *lines]
    return target, _with_protocol(lines, b"bearer." + token)


def _cookie(rng: random.Random, access: Access, facts: Facts) -> tuple[bytes, bytes]:
    cookie = rng.choice(facts.tokens.cookies)
    if access is Access.WRONG:
        cookie = _near(rng, cookie)
    return b"Cookie", rng.choice((b"", b"a=b; ", b";;")) + cookie.encode("utf-8", "replace")


def _with_protocol(lines: Lines, offered: bytes) -> Lines:
    others = b"".join(value + b", " for name, value in lines if name == _PROTOCOL)
    return [*((name, value) for name, value in lines if name != _PROTOCOL), (_PROTOCOL, others + offered)]


def _near(rng: random.Random, token: str) -> str:
    """Return a token with a change at its end, in its middle, or in one of its parts."""
    at = rng.randrange(len(token))
    parts = token.split(".")
    match rng.randrange(5):
        case 0:
            return token[:at]
        case 1:
            return token[:at] + rng.choice("Aa0_-.=%") + token[at + 1 :]
        case 2:
            return ".".join([*parts[:-1], ""])
        case 3:
            return ".".join(rng.sample(parts, len(parts)))
        case _:
            return text_near(rng, token)
