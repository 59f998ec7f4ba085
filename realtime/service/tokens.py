"""Access tokens: make, list and revoke them, which needs the grant `admin` on all boards; and find their bearers."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.clock import iso
from realtime.errors import Forbidden
from realtime.kanban.grants import Action
from realtime.node import Node
from realtime.ports import AccessToken
from realtime.service.access import Caller, check_change, check_everywhere, request_key
from realtime.service.access_log import note, note_change
from realtime.tokens.new_token import CreateToken
from realtime.tokens.token_book import Made

__all__ = ["Tokens"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Requests about access tokens."""

    _node: Node

    def bearer(self, secret: str) -> Caller | None:
        """Return the caller whose access token has this secret, None if there is no such token or it has expired.

        Tokens with one name are one client, which may replace its token by another.
        """
        found = self._node.tokens.find(secret)
        if found is None:
            return None
        name = f"access token {found.token.name}"
        return Caller(name, name, found.token.grants, found.credential)

    async def fetch(self, secret: str) -> None:
        """Return once `bearer` knows the access token with this secret, if another node has made it.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        await self._node.tokens.prepare(secret)

    def all(self, caller: Caller) -> list[AccessToken]:
        """Return all access tokens, oldest first.

        Raises:
            Forbidden: the caller is no admin of all boards.
        """
        check_everywhere(caller, Action.ADMIN)
        note("the access tokens were read")
        return self._node.tokens.tokens()

    async def create(self, caller: Caller, command: CreateToken, key: str | None = None) -> Made:
        """Make an access token. The answer has its secret, which nothing keeps.

        Raises:
            Forbidden: the caller is no admin of all boards, or would give more than it may do itself.
            InvalidInput, KeyReused, LimitReached: see `TokenBook.create`.
            StoreUnavailable: nothing was stored.
        """
        check_everywhere(caller, Action.ADMIN)
        check_change(caller)
        if not caller.grants.include(command.grants):
            raise Forbidden("expected grants that your own token has, got more")
        made = await self._node.tokens.create(command, request_key(caller, None, key))
        token = made.token
        until = None if token.expires_at is None else iso(token.expires_at)
        can = ",".join(sorted(token.grants.actions))
        note_change("an access token was made", token=token.id, bearer=token.name, can=can, expires_at=until)
        return made

    async def revoke(self, caller: Caller, token_id: str) -> None:
        """Delete an access token; its connections end within a second.

        Raises:
            Forbidden: the caller is no admin of all boards.
            NotFound: there is no such token.
            StoreUnavailable: nothing was changed.
        """
        check_everywhere(caller, Action.ADMIN)
        check_change(caller)
        token = await self._node.tokens.revoke(token_id)
        note_change("an access token was revoked", token=token.id, bearer=token.name)
