"""Two servers on one PostgreSQL database, each a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.kit.access_tokens import ADMIN
from tests.kit.raw_http import Address
from tests.kit.token_relay import relay_with_token
from tests.live.boards import make_boards
from tests.live.command import Process, running

__all__ = ["Nodes", "nodes"]

Nodes = Callable[..., AbstractAsyncContextManager[list[Process]]]


@pytest.fixture
def nodes(tmp_path: Path, postgres_url: str) -> Nodes:
    """Start servers with two boards on them, which end with the block."""

    @asynccontextmanager
    async def started(*flags: str, count: int = 2) -> AsyncIterator[list[Process]]:
        async with AsyncExitStack() as stack:
            made: list[Process] = []
            for n in range(count):
                folder = tmp_path / f"node-{n}"
                folder.mkdir()
                made.append(await stack.enter_async_context(running(folder, "--database-url", postgres_url, *flags)))
            await _make_boards(made[0].address, has_token="--tokens" in flags)
            yield made

    return started


async def _make_boards(address: Address, *, has_token: bool) -> None:
    if not has_token:
        await make_boards(address)
        return
    async with relay_with_token(address, ADMIN) as relay:
        await make_boards(relay)
