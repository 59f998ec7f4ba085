"""The JSON of access tokens, over REST and of the command line."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from realtime.clock import iso
from realtime.kanban.grants import Action
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import IsoTime
from realtime.ports import AccessToken
from realtime.tokens.token_book import Made

__all__ = ["MadeTokenJson", "TokenJson", "made_wire", "token_wire"]


class TokenJson(TypedDict):
    """An access token, without its secret. Of a token for all boards, `boards` is `["*"]`."""

    id: Id
    name: str
    boards: list[Id]
    can: list[Action]
    createdAt: IsoTime
    expiresAt: IsoTime | None
    lastUsedAt: IsoTime | None


class MadeTokenJson(TypedDict):
    """A new access token; `token` is the secret, which no other answer shows."""

    id: Id
    token: str
    name: str
    boards: list[Id]
    can: list[Action]
    expiresAt: IsoTime | None


def token_wire(token: AccessToken) -> TokenJson:
    """Return a token as lists show it."""
    return {
        "id": token.id,
        "name": token.name,
        "boards": token.grants.board_names(),
        "can": sorted(token.grants.actions),
        "createdAt": iso(token.created_at),
        "expiresAt": _iso(token.expires_at),
        "lastUsedAt": _iso(token.last_used_at),
    }


def made_wire(made: Made) -> MadeTokenJson:
    """Return a new token with its secret."""
    token = made.token
    return {
        "id": token.id,
        "token": made.secret,
        "name": token.name,
        "boards": token.grants.board_names(),
        "can": sorted(token.grants.actions),
        "expiresAt": _iso(token.expires_at),
    }


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
