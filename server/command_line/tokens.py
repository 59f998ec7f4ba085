"""`boardcast token`: makes, lists and revokes access tokens (docs/access.md), and prints JSON.

Without an address the command opens the database itself, which is possible while no server has it. With one it asks the
running server, with the token of an admin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from realtime.errors import Refused, StoreUnavailable, StoreUnusable
from realtime.kanban.commands import parse_command
from realtime.tokens.new_token import CreateToken
from realtime.tokens.token_book import TokenBook
from realtime.tokens.token_wire import made_wire, token_wire
from server.command_line.asking import TOKEN_VARIABLE, part, remote
from server.command_line.failing import USAGE, CommandFailed, say
from server.runtime.logs import set_up_logs
from server.settings_flags import read_settings
from server.wiring import open_token_book

__all__ = ["create_token", "list_tokens", "revoke_token"]

_Lines = Sequence[Mapping[str, object]]


def create_token(fields: Mapping[str, Any], url: str | None, database_url: str | None) -> None:
    """Make a token of the fields of `CreateToken`, and print it with its secret.

    Raises:
        CommandFailed: the fields do not fit, or the server or the database refuses; so do the others below.
    """
    if url:
        made = remote(url).ask("POST", "/tokens", fields)
        part(made, str, "token")
        _print([made])
        return

    async def create(book: TokenBook) -> _Lines:
        """Make it."""
        return [made_wire(await book.create(parse_command(CreateToken, dict(fields))))]

    _print(_with_book(database_url, create))


def list_tokens(url: str | None, database_url: str | None) -> None:
    """Print all tokens, without their secrets."""
    if url:
        _print(part(remote(url).ask("GET", "/tokens"), list))
        return

    async def listed(book: TokenBook) -> _Lines:
        """List them."""
        return [token_wire(token) for token in book.tokens()]

    _print(_with_book(database_url, listed))


def revoke_token(id: str, url: str | None, database_url: str | None) -> None:
    """Revoke a token."""
    if url:
        remote(url).ask("DELETE", f"/tokens/{quote(id, safe='')}")
        return

    async def revoke(book: TokenBook) -> _Lines:
        """Revoke it."""
        await book.revoke(id)
        return []

    _print(_with_book(database_url, revoke))


def _with_book(database_url: str | None, work: Callable[[TokenBook], Awaitable[_Lines]]) -> _Lines:
    flags = [f"--database-url={database_url}"] if database_url else []

    async def run() -> _Lines:
        """Open the book, work with it, and close it."""
        async with open_token_book(read_settings(flags)) as book:
            return await work(book)

    set_up_logs("warning")
    try:
        return asyncio.run(run())
    except StoreUnusable as error:
        hint = f"{error}; while a server runs, ask it: --url, and the token of an admin in {TOKEN_VARIABLE}"
        raise CommandFailed(hint, code=USAGE) from None
    except (Refused, StoreUnavailable) as error:
        raise CommandFailed(str(error)) from None


def _print(lines: _Lines) -> None:
    for one in lines:
        say(orjson.dumps(one).decode())
