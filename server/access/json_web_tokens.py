"""JSON Web Tokens (RFC 7519): a token → who its bearer is, what that may do, and until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from realtime.clock import Clock
from realtime.errors import InvalidInput
from realtime.service import NOTHING, Grants, parse_grants
from server.access.jwt_keys import Key, matching
from server.access.key_sources import KeySource

__all__ = ["CLAIM", "Identified", "JsonWebTokens", "is_json_web_token"]

#: The claim with the grants.
CLAIM = "boardcast"
#: How far the clock of the issuer may be ahead (`nbf`, `iat`). The end (`exp`) is that of our own clock.
LEEWAY_SECONDS = 30
#: Longest token; longer ones are refused unread.
MAX_CHARACTERS = 16 * 1024
MAX_SUBJECT = 200
#: Claims with a number of seconds. pyjwt takes a text of digits as well, which is no NumericDate (RFC 7519, 2).
_TIMES = frozenset({"exp", "nbf", "iat"})
#: Half of a surrogate pair, which JSON can hold, and UTF-8 cannot.
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Identified:
    """The bearer of a token."""

    subject: str
    grants: Grants
    expires_at: datetime


def is_json_web_token(token: str) -> bool:
    """Return whether the text has the form of such a token: three parts, divided by dots."""
    return token.count(".") == 2 and len(token) <= MAX_CHARACTERS


class JsonWebTokens:
    """Verifies tokens by the keys of one source."""

    def __init__(self, source: KeySource, issuer: str | None, audience: str | None, clock: Clock) -> None:
        """Require `issuer` and `audience` in each token, where they are given."""
        self._source = source
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    async def prepare(self, token: str) -> None:
        """Return once the keys are fresh enough to verify `token`."""
        header = _header(token)
        if header is not None:
            await self._source.prepare(header.get("kid"))

    async def aclose(self) -> None:
        """End what the source of the keys still does."""
        await self._source.aclose()

    def verify(self, token: str) -> Identified | None:
        """Return the bearer, None if the token is not valid now.

        The claims `exp` and `sub` are required. Without the claim `boardcast`, or with one that has another form, the
        bearer is known and may do nothing.
        """
        header = _header(token)
        if header is None:
            return None
        for key in matching(self._source.keys, header.get("kid"), header["alg"]):
            claims = self._claims(token, key)
            if claims is not None:
                return _identified(claims, self._clock())
        return None

    def _claims(self, token: str, key: Key) -> dict[str, Any] | None:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.material,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub"], "verify_aud": self._audience is not None},
            )
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            return None
        return claims if all(map(_is_number, map(claims.get, _TIMES & claims.keys()))) else None


def _header(token: str) -> dict[str, Any] | None:
    """Return the header, if it names one of our algorithms; nothing in it is verified."""
    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return header if isinstance(header.get("alg"), str) and isinstance(header.get("kid", ""), str) else None


def _identified(claims: dict[str, Any], now: datetime) -> Identified | None:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or _SURROGATE.search(subject):
        return None
    try:
        expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, OverflowError, OSError):
        expires_at = datetime.max.replace(tzinfo=UTC)  # beyond the calendar
    if expires_at <= now:
        return None
    return Identified(subject, _grants(claims.get(CLAIM)), expires_at)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _grants(claim: object) -> Grants:
    if not isinstance(claim, dict):
        return NOTHING
    try:
        return parse_grants(claim)
    except InvalidInput:
        return NOTHING
