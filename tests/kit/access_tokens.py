"""Access tokens of a running server, made over its REST API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tests.kit.raw_http import Address, Answer, exchange

__all__ = ["ADMIN", "Admin", "GivenToken"]

#: A static secret for the server under test.
ADMIN = "the-secret-of-the-operator"
_TOKENS = "/api/v1/tokens"


@dataclass(frozen=True)
class GivenToken:
    """A token that was made."""

    id: str
    secret: str


@dataclass(frozen=True)
class Admin:
    """A client that makes and revokes tokens of the server at `address`."""

    address: Address
    secret: str = ADMIN

    async def ask(
        self, method: str, body: object = None, target: str = _TOKENS, headers: Sequence[tuple[str, str]] = ()
    ) -> Answer:
        """Send a request with the secret and return its answer."""
        bearer = ("Authorization", f"Bearer {self.secret}")
        content = None if body is None else orjson.dumps(body)
        return await exchange(self.address, method, target, content, [bearer, *headers])

    async def make(self, name: str = "Ada", **fields: Any) -> GivenToken:
        """Make a token, which may read everything unless `fields` say something else."""
        body = {"name": name, "boards": ["*"], "can": ["read", "dashboard"], **fields}
        answer = await self.ask("POST", body)
        assert answer.status == 201, answer
        made = orjson.loads(answer.body)
        return GivenToken(made["id"], made["token"])

    async def revoke(self, token: GivenToken) -> int:
        """Revoke a token and return the status."""
        return (await self.ask("DELETE", target=f"{_TOKENS}/{token.id}")).status

    async def listed(self) -> list[dict[str, Any]]:
        """Return the list of tokens."""
        answer = await self.ask("GET")
        assert answer.status == 200, answer
        parsed: list[dict[str, Any]] = orjson.loads(answer.body)
        return parsed
