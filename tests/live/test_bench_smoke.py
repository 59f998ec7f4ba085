"""The benchmark still runs: small sizes of its cases reach every reader, and what went wrong would be noticed.

Nothing is timed here; figures come from `make bench`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.bench.exits import BOARD_STATE, LINE_MARK, NUMBER, Opening, board_socket, board_stream, graphql_socket
from tests.bench.load_client import LoadClient, MessageFault, compiler_missing, load_client
from tests.bench.measures import FanOut, Idle, ManyBoards, MovedCard, Opener, RenamedCard
from tests.bench.overviews import Overviews
from tests.bench.report import table
from tests.bench.servers import BOARDCAST, PEERS, BenchServer, peer_missing, running
from tests.clients.requirements import require
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address

OPENERS = [pytest.param(board_socket, id="websocket"), pytest.param(board_stream, id="sse")]
_HEADS = {"ws": b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "http": b"HTTP/1.1 200 OK\r\n\r\n"}
_SNAPSHOTS = {"ws": '{"type":"state","payload":{}}', "http": "event: state\ndata: {}"}


@pytest.fixture(scope="module", autouse=True)
def compiler() -> None:
    require(compiler_missing())


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BenchServer]:
    async with running(BOARDCAST, tmp_path_factory.mktemp("bench")) as boardcast:
        yield boardcast


@pytest.mark.parametrize("opener", OPENERS)
async def test_fan_out_reaches_every_reader(server: BenchServer, opener: Opener) -> None:
    figures = await FanOut(opener, readers=3, events=10, batch=4).run(server)
    assert 180 < figures["bytes per delivered"] < 220
    assert figures["delivered per second"] > 0
    assert figures["p99 ms"] >= figures["p50 ms"] > 0


async def test_renamed_card_reaches_every_subscription(server: BenchServer) -> None:
    distinct = BOARD_STATE.replace("cards {", f"cards{NUMBER} : cards {{")
    for opener in (graphql_socket, lambda board: graphql_socket(board, distinct, 2)):
        figures = await RenamedCard(opener, readers=4, cards=5, renamed=2).run(server)
        assert figures["bytes per delivered"] > 1000


async def test_moved_card_reaches_every_reader(server: BenchServer) -> None:
    case = MovedCard(board_socket, '{"type":"state"', begins_with=1, readers=3, cards=5, moves=2)
    figures = await case.run(server)
    assert figures["ms to the last reader, worst"] >= figures["ms to the last reader, median"] > 0


async def test_idle_and_many_boards_run(server: BenchServer) -> None:
    assert "KiB per connection" in await Idle(board_socket, connections=5).run(server)
    assert "many : one" in await ManyBoards(5).run(server)


async def test_overviews_of_seeded_attempts_are_measured(server: BenchServer) -> None:
    figures = await Overviews(attempts=50, looks=4).run(server)
    assert figures["ms per overview, last 7 days"] > 0
    assert figures["ms to a pong meanwhile, worst"] > 0


@pytest.mark.node
@pytest.mark.parametrize("name", list(PEERS))
async def test_peer_answers_like_boardcast(server: BenchServer, name: str, tmp_path: Path) -> None:
    require(peer_missing(name))
    case = FanOut(board_socket, 3, 10, 4) if name == "node" else RenamedCard(graphql_socket, 3, 5, 2)
    async with running(name, tmp_path) as peer:
        theirs = await case.run(peer)
    ours = await case.run(server)
    # Names of objects, the digits of offsets and the precision of times differ by a little.
    assert theirs["bytes per delivered"] == pytest.approx(ours["bytes per delivered"], rel=0.06)


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
async def test_lines_in_any_pieces_are_counted(opener: Opener, piece: int) -> None:
    opening = opener("b")
    async with deadline(20), _read(opening, range(3), piece) as client:
        assert await client.expect(3) > 0


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    "numbers", [[1], [0, 0], [0, 2, 1], [0, 1, 2, 4]], ids=["lost", "twice", "overtaken", "skipped"]
)
async def test_line_out_of_turn_is_a_fault(opener: Opener, numbers: list[int]) -> None:
    with pytest.raises(MessageFault, match="fault expected mark"):
        async with deadline(20), _read(opener("b"), numbers, 10_000) as client:
            await client.expect(4)


@pytest.mark.parametrize("opener", OPENERS)
async def test_stream_that_ends_is_a_fault(opener: Opener) -> None:
    with pytest.raises(MessageFault, match="the server ended a stream"):
        async with deadline(20), _read(opener("b"), [0], 10_000, then_close=True) as client:
            await client.expect(4)


def test_table_shows_median_spread_and_ratio() -> None:
    taken = {
        "ours": [{"µs": value} for value in (1.0, 2.0, 9.0)],
        "theirs": [{"µs": value} for value in (2.0, 4.0, 6.0)],
    }
    title, reach, head, row = table("A case", "much", taken).splitlines()
    assert (title, reach, head.split()) == ("A case", "to reach: much", ["ours", "theirs", "ours", ":", "theirs"])
    assert " ".join(row.split()) == "µs 2 (1 to 9) 4 (2 to 6) 0.5 (0.5 to 1.5)"


@asynccontextmanager
async def _read(
    opening: Opening, numbers: range | list[int], piece: int, *, then_close: bool = False
) -> AsyncIterator[LoadClient]:
    """Read what a server sends that has a script, in pieces of so many bytes."""
    lines = [_line(opening.kind, number) for number in numbers]
    sent = _HEADS[opening.kind] + b"".join((_framed(opening.kind, _SNAPSHOTS[opening.kind]), *lines))
    script = functools.partial(_send, sent, piece, then_close)
    async with await asyncio.start_server(script, "127.0.0.1", 0) as listening:
        address: Address = listening.sockets[0].getsockname()
        async with load_client(address, opening, 1) as client:
            yield client


async def _send(
    sent: bytes, piece: int, then_close: bool, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await reader.readuntil(b"\r\n\r\n")
    for start in range(0, len(sent), piece):
        writer.write(sent[start : start + piece])
        await writer.drain()
    if not then_close:
        await reader.read()  # until the client has gone
    writer.close()


def _line(kind: str, number: int) -> bytes:
    payload = f'{{"level":"info",{LINE_MARK}{number:06} {"." * 43}"}}'
    message = (
        f'{{"type":"attempt_log","payload":{payload}}}' if kind == "ws" else f"event: attempt_log\ndata: {payload}"
    )
    return _framed(kind, message)


def _framed(kind: str, message: str) -> bytes:
    if kind == "ws":
        size = len(message)
        return bytes((0x81, size) if size < 126 else (0x81, 126, *size.to_bytes(2))) + message.encode()
    chunk = f"{message}\n\n"
    return f"{len(chunk):x}\r\n{chunk}\r\n".encode()
