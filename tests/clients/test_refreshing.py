"""Clients whose token expires or is revoked come back with the next one, and get each event once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient, open_board
from tests.clients.visit import START_UNITS, settings_for
from tests.kit.access_tokens import ADMIN, Admin, GivenToken
from tests.kit.deadline import deadline, seconds
from tests.kit.json_web_tokens import SECRET
from tests.kit.live_server import LiveServer, live_server
from tests.kit.token_relay import relay_with_token

_WAIT_UNITS = 120
pytestmark = pytest.mark.timeout(300)
#: How long a JSON Web Token is valid, and how often one ends.
_LIFE_UNITS, _LIVES = 1, 3
_NODE = (
    "graphql-ws",
    "apollo",
    "urql",
    "graphql-sse",
    "graphql-sse-single",
    "eventsource-address",
    "eventsource-cookie",
)
_CLIENTS = [
    *(pytest.param(name, marks=pytest.mark.node) for name in _NODE),
    *("gql", pytest.param("eventsource-in-chromium", marks=pytest.mark.chromium)),
]
#: The scripts of clients that are not in `refreshing.mjs`.
_SCRIPTS = {"gql": "refreshing_gql.py", "eventsource-in-chromium": "refreshing_page.mjs"}


@dataclass
class _Stage:
    """A server that needs tokens, a board on it, and the file from which the client reads its token."""

    live: LiveServer
    board: BoardClient
    token_file: Path


@pytest.fixture
async def stage(clients_present: None, tmp_path: Path) -> AsyncIterator[_Stage]:
    async with (
        live_server(tokens=SecretStr(ADMIN), jwt_key=SecretStr(SECRET)) as live,
        relay_with_token(live.address, ADMIN) as (host, port),
        open_board(f"http://{host}:{port}") as board,
    ):
        yield _Stage(live, board, tmp_path / "token")


class _Revoked:
    """Access tokens: the earlier one is revoked when the next one is in the file."""

    reason = "token_revoked"
    signing: ClassVar[dict[str, object]] = {"signingKey": None}

    def __init__(self, stage: _Stage) -> None:
        self._stage, self._admin = stage, Admin(stage.live.address)
        self._token: GivenToken | None = None

    async def next(self) -> None:
        """Give the next token, and end the earlier one."""
        earlier, self._token = self._token, await self._admin.make()
        self._stage.token_file.write_text(self._token.secret, encoding="utf-8")
        if earlier is not None:
            assert await self._admin.revoke(earlier) == 204


class _Expired:
    """JSON Web Tokens that the client signs itself: each expires after a moment."""

    reason = "token_expired"
    signing: ClassVar[dict[str, object]] = {"signingKey": SECRET, "lifeSeconds": seconds(_LIFE_UNITS)}

    def __init__(self, stage: _Stage) -> None:
        """Leave all to the client."""

    async def next(self) -> None:
        """Do nothing: the time passes."""


async def _created(script: NodeScript, title: str) -> None:
    while (await script.wait_for("change", type="CardCreated"))["title"] != title:
        pass


@pytest.mark.parametrize("kind", [_Revoked, _Expired], ids=["revoked", "expired"])
@pytest.mark.parametrize("client", _CLIENTS)
async def test_client_comes_back_with_the_next_token_for_each_event(
    client: str, kind: type[_Revoked | _Expired], stage: _Stage
) -> None:
    tokens, titles = kind(stage), []
    await tokens.next()
    url, board = stage.live.url, stage.board
    settings = {**settings_for(url, board), "client": client, "tokenFile": str(stage.token_file), **kind.signing}
    settings["socketUrl"] = f"{url.replace('http', 'ws', 1)}/graphql"
    name = _SCRIPTS.get(client, "refreshing.mjs")
    async with deadline(_WAIT_UNITS), run_script(name, settings) as script:
        await script.wait_for("change", type="State", units=START_UNITS)
        for number in range(_LIVES):
            await tokens.next()
            for part in ("while the token ends", "after it"):
                titles.append(f"{number} {part}")
                await board.create_card(titles[-1])
                if part != "after it":
                    await script.wait_for("change", type="Goodbye", reason=_spelled(client, kind.reason))
            await _created(script, titles[-1])
    changes = [report for report in script.reports if report["at"] == "change"]
    assert [one["title"] for one in changes if one["type"] == "CardCreated"] == titles
    assert [one["type"] for one in changes].count("State") == 1
    assert "Gap" not in {one["type"] for one in changes}


def _spelled(client: str, reason: str) -> str:
    return reason if client.startswith("eventsource") else reason.upper()
