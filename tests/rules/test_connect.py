"""The tests' own connections: the errors of one that the server resets."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import closing, suppress

import pytest

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, connect


async def test_connection_that_is_reset_at_once_is_a_lost_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        async def connect_and_be_reset(raw: socket.socket, address: Address) -> None:
            with suppress(BlockingIOError):
                raw.connect(address)
            accepted, _ = listening.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()

        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect_and_be_reset)
        async with deadline(5):
            with pytest.raises(ConnectionResetError, match="as soon as it was made"):
                async with connect(listening.getsockname()):
                    pytest.fail("it was opened")
