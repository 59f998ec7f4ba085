"""`boardcast token create | list | revoke`: manages access tokens (docs/access.md), and prints JSON.

Without `--url` the command opens the database itself, which is possible while no server has it. With `--url` it asks
the running server, with the token of an admin in the variable `BOARDCAST_TOKEN`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson
from pydantic import ValidationError

from realtime.errors import Refused, StoreUnavailable, StoreUnusable
from realtime.kanban.commands import parse_command
from realtime.tokens.new_token import CreateToken
from realtime.tokens.token_wire import made_wire, token_wire
from server.runtime.logs import set_up_logs
from server.settings import Settings
from server.wiring import open_token_book

__all__ = ["run_token_command"]

EXIT_REFUSED = 1
EXIT_USAGE = 2
TOKEN_VARIABLE = "BOARDCAST_TOKEN"
ANSWER_SECONDS = 30.0
#: Most bytes of an answer that are read; a list of 1,000 tokens with 1,000 boards each has some 40 MB.
ANSWER_BYTES = 64 * 1024 * 1024


class _Failed(Exception):
    """The server refused, or could not be reached."""


class _NoRedirects(HTTPRedirectHandler):
    # The token is for the given address only.
    def redirect_request(self, *_: Any) -> None:
        return None


def run_token_command(words: Sequence[str]) -> None:
    """Carry out the command and print its result as JSON, one line for each token; leave with a code above 0 if not."""
    asked = _parser().parse_args(words)
    try:
        done = _ask_server(asked) if asked.url else asyncio.run(_change_database(asked))
    except StoreUnusable as error:
        _fail(f"{error}; while a server runs, ask it: --url, and the token of an admin in {TOKEN_VARIABLE}", EXIT_USAGE)
    except ValidationError as error:
        _fail(error.errors(include_url=False, include_input=False)[0]["msg"], EXIT_USAGE)
    except (_Failed, Refused, StoreUnavailable) as error:
        _fail(str(error), EXIT_REFUSED)
    for one in done:
        print(orjson.dumps(one).decode())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("boardcast token", description="Make, list and revoke access tokens.")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--url", help=f"address of a running server; the token of an admin is in {TOKEN_VARIABLE}")
    where.add_argument("--database-url", help="URL of the database, while no server has it (as for the server)")
    actions = parser.add_subparsers(dest="action", required=True, metavar="create | list | revoke")
    create = actions.add_parser("create", parents=[where], help="make a token and print it with its secret")
    create.add_argument("--name", required=True, help="its name for people; tokens with one name are one client")
    create.add_argument("--boards", required=True, help="ids of boards, separated by commas; * = all")
    create.add_argument("--can", required=True, help="actions, separated by commas: read write publish dashboard admin")
    create.add_argument("--expires-at", help="RFC 3339 time at which it expires; never by default")
    actions.add_parser("list", parents=[where], help="print all tokens, without their secrets")
    revoke = actions.add_parser("revoke", parents=[where], help="revoke a token; its connections end within a second")
    revoke.add_argument("id", help="id of the token: tok-…")
    return parser


def _body(asked: argparse.Namespace) -> dict[str, Any]:
    lists = {name: [one.strip() for one in getattr(asked, name).split(",")] for name in ("boards", "can")}
    return {"name": asked.name, **lists, "expiresAt": asked.expires_at}


async def _change_database(asked: argparse.Namespace) -> Sequence[Mapping[str, object]]:
    settings = Settings(**({"database_url": asked.database_url} if asked.database_url else {}))
    set_up_logs("warning")
    command = parse_command(CreateToken, _body(asked)) if asked.action == "create" else None
    async with open_token_book(settings) as book:
        if command is not None:
            return [made_wire(await book.create(command))]
        if asked.action == "list":
            return [token_wire(token) for token in book.tokens()]
        await book.revoke(asked.id)
        return []


def _ask_server(asked: argparse.Namespace) -> Sequence[Mapping[str, object]]:
    match asked.action:
        case "create":
            made: dict[str, Any] = _answer(asked.url, "POST", body=_body(asked))
            return [made]
        case "list":
            listed: list[dict[str, Any]] = _answer(asked.url, "GET")
            return listed
        case _:
            _answer(asked.url, "DELETE", f"/{quote(asked.id, safe='')}")
            return []


def _answer(url: str, method: str, path: str = "", body: object = None) -> Any:
    """Return the JSON of an answer.

    Raises:
        _Failed: the server cannot be reached, or refuses; with its reason.
    """
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get(TOKEN_VARIABLE):
        headers["Authorization"] = f"Bearer {token}"
    content = None if body is None else orjson.dumps(body)
    try:
        if not url.startswith(("http://", "https://")):
            raise _Failed(f"--url: expected an address that begins with http:// or https://, got {url!r}")
        request = Request(f"{url.rstrip('/')}/api/v1/tokens{path}", content, headers, method=method)
        with build_opener(_NoRedirects).open(request, timeout=ANSWER_SECONDS) as answer:
            read = answer.read(ANSWER_BYTES)
            return orjson.loads(read) if read else None
    except HTTPError as error:
        raise _Failed(f"{url} answered {error.code}: {_reason(error)}") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise _Failed(f"cannot ask {url}: {getattr(error, 'reason', None) or type(error).__name__}") from None


def _reason(error: HTTPError) -> str:
    try:
        problem = orjson.loads(error.read(ANSWER_BYTES))
        return str(problem["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return error.reason


def _fail(sentence: str, code: int) -> NoReturn:
    print(f"boardcast: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(code)
