"""The witness reports that it is served, and each missing answer is a fault."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.fuzz.stage import make_witness_board
from tests.fuzz.stolen_time import StolenTime
from tests.fuzz.witness import Witness
from tests.kit.deadline import FACTOR_VARIABLE, deadline
from tests.kit.live_server import live_server

_WAIT_UNITS = 20


async def _look(witness: Witness, *, until_asked: bool) -> None:
    """Let it ask until each question was answered, or failed."""
    over = asyncio.Event()
    running = asyncio.create_task(witness.run(over.wait))
    async with deadline(_WAIT_UNITS):
        while not all(sight.asked if until_asked else sight.faults for sight in witness.seen.values()):
            await witness.looked()
        over.set()
        await running


async def test_witness_of_a_server_that_serves_has_no_fault() -> None:
    async with live_server() as live:
        await make_witness_board(live.address, None)
        witness = Witness(live.address, "127.0.0.1", None)
        await _look(witness, until_asked=True)
    assert [fault for sight in witness.seen.values() for fault in sight.faults] == []
    assert all(sight.longest > 0 for sight in witness.seen.values())


async def test_waits_in_which_other_machines_had_the_cores_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StolenTime, "took_part", lambda *_: True)
    async with live_server() as live:
        await make_witness_board(live.address, None)
        witness = Witness(live.address, "127.0.0.1", None)
        await _look(witness, until_asked=True)
    assert all(sight.longest == 0 < sight.disturbed for sight in witness.seen.values())


async def test_witness_that_is_not_served_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(100)
        writer.close()

    monkeypatch.setenv(FACTOR_VARIABLE, "1")
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        witness = Witness((host, port), "127.0.0.1", None)
        await _look(witness, until_asked=False)
    assert all(sight.faults for sight in witness.seen.values())
