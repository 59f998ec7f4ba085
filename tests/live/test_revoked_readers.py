"""A client that reads nothing loses its connection when its token ends, as one that reads does."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import connect
from tests.kit.token_relay import relay_with_token
from tests.live.boards import make_boards
from tests.live.exits import EXITS, open_exit

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 30
_RECEIVE_BUFFER = 4096
#: More bytes than the systems of the server, of the relay and of the client keep for one connection.
_EVENTS, _LABEL = 48, "x" * 512 * 1024


async def _fill(live: LiveServer) -> None:
    """Publish until the connection of a client that reads nothing has no room."""
    async with relay_with_token(live.address, ADMIN) as address:
        for number in range(_EVENTS):
            await Publisher(address).publish(event("agent.registered", {"agent": "A", "label": f"{number} {_LABEL}"}))


@pytest.mark.parametrize("name", EXITS)
async def test_revoked_client_that_reads_nothing_is_cut(name: str) -> None:
    async with live_server(tokens=SecretStr(ADMIN), send_timeout_seconds=600, ping_seconds=600) as live:
        admin = Admin(live.address)
        async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
            address = await stack.enter_async_context(relay_with_token(live.address, ADMIN))
            await make_boards(address)
            token = await admin.make()
            address = await stack.enter_async_context(relay_with_token(live.address, token.secret))
            await open_exit(name, await stack.enter_async_context(connect(address, _RECEIVE_BUFFER)))
            await _fill(live)
            assert not live.node.counters.exit(name).ended
            assert await admin.revoke(token) == 204
            await live.node.lifetimes.vacated()
            assert live.node.counters.exit(name).ended == {"token_revoked": 1}
