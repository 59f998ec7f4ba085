"""Leadership: one leader at a time, and another one soon after its end, whatever that is."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

import anyio.lowlevel
import pytest

from realtime.backends.sql.postgres.leadership import standing_for_leader
from tests.kit.deadline import deadline
from tests.kit.postgres_server import PostgresServer

#: Stands for leader, and prints a line once it is the leader.
_CANDIDATE = """
import asyncio, sys
from realtime.backends.sql.postgres.leadership import standing_for_leader

async def main():
    async with standing_for_leader(sys.argv[1]) as leads:
        while not leads():
            await asyncio.sleep(0)
        print("leads", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def _until(leads: Callable[[], bool]) -> None:
    while not leads():
        await anyio.lowlevel.checkpoint()


async def test_one_of_several_leads_and_another_one_when_it_ends(postgres_url: str) -> None:
    async with deadline(30), AsyncExitStack() as others:
        async with standing_for_leader(postgres_url) as first:
            await _until(first)
            second = await others.enter_async_context(standing_for_leader(postgres_url))
            third = await others.enter_async_context(standing_for_leader(postgres_url))
            assert not second()
            assert not third()
        await asyncio.wait(
            [asyncio.create_task(_until(one)) for one in (second, third)], return_when=asyncio.FIRST_COMPLETED
        )
        assert second() is not third()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda one: one.name)
async def test_another_process_leads_when_the_leader_is_killed_or_paused(
    number: signal.Signals, postgres_url: str
) -> None:
    words = (sys.executable, "-c", _CANDIDATE, postgres_url)
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with deadline(30):
            assert await process.stdout.readline() == b"leads\n"
        async with deadline(10), standing_for_leader(postgres_url) as leads:
            assert not leads()
            process.send_signal(number)
            await _until(leads)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_leader_whose_session_is_gone_knows_it(postgres: PostgresServer, postgres_url: str) -> None:
    async with deadline(30), standing_for_leader(postgres_url) as leads:
        await _until(leads)
        postgres.terminate_connections(postgres_url)
        while leads():
            await anyio.lowlevel.checkpoint()
        await _until(leads)
        assert leads()


async def test_leader_of_a_silent_server_stops_to_lead_before_its_lease_ends(
    postgres: PostgresServer, postgres_url: str
) -> None:
    async with deadline(30), standing_for_leader(postgres_url) as leads:
        await _until(leads)
        postgres.pause()
        try:
            while leads():
                await anyio.lowlevel.checkpoint()
        finally:
            postgres.resume()
        await _until(leads)
        assert leads()
