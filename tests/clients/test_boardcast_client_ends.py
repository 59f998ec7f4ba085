"""`server/static/boardcast.js` in Node.js: the end of tokens, boards and streams."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence

import pytest
from pydantic import SecretStr

from tests.clients.node_script import NodeScript
from tests.clients.rest_client import BoardClient, open_board
from tests.clients.test_boardcast_client import EXITS, running
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import seconds
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.token_relay import relay_with_token

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]


@pytest.fixture
async def live(clients_present: None) -> AsyncGenerator[LiveServer]:
    """A server that needs a token."""
    async with live_server(tokens=SecretStr(ADMIN), jwt_key=SecretStr(SECRET), heartbeat_seconds=0.2) as server:
        yield server


@pytest.fixture
async def board(live: LiveServer) -> AsyncGenerator[BoardClient]:
    """A board, changed by somebody who may do everything."""
    async with relay_with_token(live.address, ADMIN) as (host, port), open_board(f"http://{host}:{port}") as client:
        yield client


def _token(units: float, can: Sequence[str] = ("read",)) -> str:
    return signed(claims_of(can=can, exp=int(time.time() + seconds(units)) + 1))


async def _ended(script: NodeScript) -> str:
    return str((await script.wait_for("status", status="ended"))["reason"])


@EXITS
async def test_revoked_token_is_replaced_by_the_next_one(exit: str, live: LiveServer, board: BoardClient) -> None:
    admin = Admin(live.address)
    first, second = await admin.make(), await admin.make()
    async with running(live.url, exit, board, tokens=[first.secret, second.secret]) as script:
        await script.wait_for("checked")
        assert await admin.revoke(first) == 204
        await script.wait_for("status", status="reconnecting", reason="token_revoked")
        await board.create_card("After it")
        await script.wait_for("event", type="card_created", title="After it")
        assert await admin.revoke(second) == 204
        assert await _ended(script) == "unauthenticated"
    assert [one["type"] for one in script.reports if one["at"] == "event"].count("state") == 1


@EXITS
async def test_token_that_expires_is_replaced_before(exit: str, live: LiveServer, board: BoardClient) -> None:
    tokens = [_token(8, can=["read", "write"]), _token(3000, can=["read", "write"])]
    async with running(live.url, exit, board, tokens=tokens) as script:
        await script.wait_for("status", status="live")
        # The answer on the WebSocket; on SSE the hello of the next connection.
        await script.wait_for("event", type="access")
        await script.wait_for("event", type="access" if exit == "websocket" else "hello", units=60)
        await board.create_card("With the next token")
        await script.wait_for("event", type="card_created", title="With the next token")
        await script.finish()
    assert "goodbye" not in {one.get("type") for one in script.reports}
    assert "reconnecting" not in {one.get("status") for one in script.reports if one["at"] == "status"}


@EXITS
async def test_tokens_that_expire_again_and_again_lose_nothing(exit: str, live: LiveServer, board: BoardClient) -> None:
    signing = {"tokenFile": "none", "signingKey": SECRET, "lifeSeconds": seconds(1)}
    async with running(live.url, exit, board, **signing) as script:
        await script.wait_for("checked")
        for number in range(3):
            await script.wait_for("event", type="hello", units=60)
            await board.create_card(f"Card {number}")
            await script.wait_for("event", type="card_created", title=f"Card {number}", units=60)
        await script.finish()
    assert [one["type"] for one in script.reports if one["at"] == "event"].count("state") == 1


@EXITS
async def test_wrong_token_and_unknown_board_are_the_end(exit: str, live: LiveServer, board: BoardClient) -> None:
    async with running(live.url, exit, board, tokens=["wrong-token-0123456789"]) as script:
        assert await _ended(script) == "unauthenticated"
    async with running(live.url, exit, board) as script:
        assert await _ended(script) == "unauthenticated"
    other = BoardClient(board.http, "no-such-board", ())
    async with running(live.url, exit, other, tokens=[ADMIN]) as script:
        assert await _ended(script) == "board_not_found"
    async with running(live.url, exit, None, tokens=[_token(3000)]) as script:
        assert await _ended(script) == "forbidden"


@EXITS
async def test_deleted_board_is_the_end(exit: str, live: LiveServer, board: BoardClient) -> None:
    async with running(live.url, exit, board, tokens=[ADMIN]) as script:
        await script.wait_for("status", status="live")
        (await board.http.delete(f"/api/v1/projects/{board.board_id}")).raise_for_status()
        assert await _ended(script) == "board_deleted"
        payload = {"columnId": board.column_ids[0], "title": "Late"}
        await script.order("send", type="create_card", payload=payload, name="late")
        code = (await script.wait_for("refused", name="late"))["code"]
        assert code == ("board_deleted" if exit == "websocket" else "no_websocket")
        await script.finish()
