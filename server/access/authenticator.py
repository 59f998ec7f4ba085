"""The authenticator: a token → its caller. The only place that compares secrets."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Collection, Mapping
from hashlib import sha256
from typing import Any

from realtime.lifetimes.credentials import Credential
from realtime.limits import LimitReached
from realtime.rates import MINUTE, Rate
from realtime.service import Caller
from server.access.json_web_tokens import JsonWebTokens, is_json_web_token

__all__ = ["Authenticator", "bearer", "init_tokens"]

_INIT_NAMES = ("authorization", "token")


class Authenticator:
    """Knows the static secrets, the access tokens and the keys of JSON Web Tokens."""

    def __init__(
        self,
        secrets: Collection[str],
        json_web_tokens: JsonWebTokens | None = None,
        bearer: Callable[[str], Caller | None] | None = None,
        *,
        fetch: Callable[[str], Awaitable[None]] | None = None,
        max_failures: int = 0,
    ) -> None:
        """Admit each client with one of `secrets`, a valid access token or a valid JSON Web Token.

        `bearer` returns the caller with an access token; None = there are none. Before, `fetch` looks for a token that
        another node has made. Without all three, every client is admitted.

        Each address may send `max_failures` wrong tokens a minute, 0 = any number. A valid token always admits:
        otherwise one client could lock out all others behind the same address.
        """
        self._secrets = [secret.encode() for secret in secrets]
        self._json_web_tokens = json_web_tokens
        self._bearer = bearer
        self._fetch = fetch
        #: Of wrong tokens.
        self.failures = Rate(max_failures, "wrong tokens", period=MINUTE, sender="an address")

    @property
    def is_open(self) -> bool:
        """Whether every client is admitted."""
        return not self._secrets and self._json_web_tokens is None and self._bearer is None

    async def prepare(self, *tokens: str) -> None:
        """Return once `identify` can decide about these tokens: fresh keys or new tokens may have to be read.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        for token in tokens:
            if self._json_web_tokens is not None and is_json_web_token(token):
                await self._json_web_tokens.prepare(token)
            elif self._fetch is not None:
                await self._fetch(token)

    def identify(self, token: str) -> Caller | None:
        """Return the caller with this token, None if it is not valid.

        A secret may do everything. The time to compare secrets depends on the length of `token` only.
        """
        given = token.encode(errors="surrogatepass")
        # Not `any`, which would stop at the matching secret.
        if sum(hmac.compare_digest(given, one) for one in self._secrets) > 0:
            name = f"token {sha256(given).hexdigest()[:16]}"
            return Caller(name, name)
        if self._bearer is not None and (caller := self._bearer(token)) is not None:
            return caller
        if self._json_web_tokens is None or not is_json_web_token(token):
            return None
        found = self._json_web_tokens.verify(token)
        if found is None:
            return None
        name = f"user {found.subject}"
        return Caller(name, name, found.grants, Credential(found.expires_at))

    def first(self, tokens: Collection[str]) -> Caller | None:
        """Return the caller of the first valid token."""
        return next((caller for token in tokens if (caller := self.identify(token)) is not None), None)

    async def aclose(self) -> None:
        """End what still runs, when the server stops."""
        if self._json_web_tokens is not None:
            await self._json_web_tokens.aclose()

    def note_failure(self, address: str) -> LimitReached | None:
        """Count a wrong token of a client at `address`; return the refusal when too many came from there."""
        try:
            self.failures.spend(1, address)
        except LimitReached as reached:
            return reached
        return None


def init_tokens(payload: Mapping[str, Any]) -> list[str]:
    """Return the tokens in the payload of `connection_init`: `authorization` or `token`, case-insensitive."""
    named = [value for name, value in payload.items() if name.lower() in _INIT_NAMES and isinstance(value, str)]
    return [bearer(value) or value.strip() for value in named]


def bearer(value: str) -> str | None:
    """Return the token of an `Authorization` header (RFC 6750, 2.1); None = the header has another scheme."""
    scheme, _, token = value.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
