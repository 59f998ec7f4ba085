"""A process that is paused inside a write unit loses its locks, and the others go on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.lowlevel
import pytest

from realtime.messages.channels import EVERYBODY, board_channel
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, create_board, open_node, open_store, publish
from tests.kit.postgres_server import PostgresServer
from tests.kit.publishing import event

#: Locks heads in a unit, stops itself, and then goes on with the unit.
_WRITER = """
import asyncio, signal, sys, threading
from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable

def work(transaction):
    transaction.lock(sys.argv[2:])
    # To this thread: a signal to the process may stop another thread first, and this one would end the unit.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    transaction.board_count()

async def main():
    store = SqlStore(sys.argv[1])
    await store.open()
    try:
        await store.transact(work)
    except StoreUnavailable:
        print("nothing was stored")
    await store.aclose()

asyncio.run(main())
"""
_LOG = event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"})
_AGENT = event("agent.registered", {"agent": "CODEX"})
_SESSIONS = """SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'
    AND query NOT LIKE '%pg_stat_activity%' AND datname = '{}'"""


def _is_paused(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"


@asynccontextmanager
async def _paused_writer(url: str, *channels: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that is stopped inside a unit, with the heads of channels locked."""
    words = (sys.executable, "-c", _WRITER, url, *channels)
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    try:
        async with deadline(30):
            while not _is_paused(process.pid):
                await anyio.lowlevel.checkpoint()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize(("channel", "blocked"), [(board_channel(BOARD), _LOG), (EVERYBODY, _AGENT)])
async def test_others_write_on_when_a_process_is_paused_with_a_head(
    channel: str, blocked: dict[str, object], postgres: PostgresServer, postgres_url: str
) -> None:
    asked = _SESSIONS.format(postgres_url.rpartition("/")[2])
    async with open_store(postgres_url) as store, open_node(store) as node:
        await create_board(node)
        async with _paused_writer(postgres_url, channel) as process:
            async with deadline(20):
                await publish(node, blocked)
            assert postgres.run(asked) == [(0,)]
            os.kill(process.pid, signal.SIGCONT)
            async with deadline(20):
                out, _ = await process.communicate()
            assert (process.returncode, out) == (0, b"nothing was stored\n")
            await publish(node, blocked)
