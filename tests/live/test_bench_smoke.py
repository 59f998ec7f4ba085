"""The benchmark still works: small sizes of its cases reach every subscriber, and an error would be noticed.

Nothing is timed here; `make bench` measures.
"""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.bench.cases import QUICK, Rival, cases
from tests.bench.exits import LINE_MARK, Opening, board_socket, board_stream
from tests.bench.growth import growths
from tests.bench.load_client import LoadClient, MessageFault, compiler_missing, load_client
from tests.bench.measures import Opener
from tests.bench.scaling import Costs, Installation, report
from tests.bench.servers import BOARDCAST, Servers, peer_missing, servers_for
from tests.clients.requirements import require
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address

CASES = cases(QUICK)
GROWTHS = {
    f"{growth.name}-{name}": (growth.figure, at) for growth in growths(quick=True) for name, at in growth.series.items()
}
OPENERS = [pytest.param(board_socket, id="websocket"), pytest.param(board_stream, id="sse")]
_PYTHON = (BOARDCAST, "strawberry", "uvicorn")
#: npm would compile it for a minute or more; only `make bench` installs it.
_NATIVE = ("fastify", "yoga-stored")
_RIVALS = [
    pytest.param(name, rival, id=f"{name}-{rival.column}", marks=[pytest.mark.node] * (rival.server not in _PYTHON))
    for name, case in CASES.items()
    for rival in case.rivals
    if rival.server not in _NATIVE
]
_BYTES = "bytes per delivered"
_HEADS = {"ws": b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "http": b"HTTP/1.1 200 OK\r\n\r\n"}
_SNAPSHOTS = {"ws": '{"type":"state","payload":{}}', "http": "event: state\ndata: {}"}


@pytest.fixture(scope="module", autouse=True)
def compiler() -> None:
    require(compiler_missing())


@pytest.fixture(scope="module")
async def servers() -> AsyncIterator[Servers]:
    async with servers_for() as started:
        yield started


@pytest.mark.parametrize("name", list(CASES))
async def test_case_gives_what_its_checks_ask_for(servers: Servers, name: str) -> None:
    figures = await CASES[name].run(await servers.get(BOARDCAST))
    assert {check.figure for check in CASES[name].checks} <= figures.keys()
    # A few more connections may fit into memory that is already there.
    assert all(value > 0 or figure == "KiB per connection" for figure, value in figures.items())


@pytest.mark.parametrize(("name", "rival"), _RIVALS)
async def test_rival_does_the_work_of_the_first_column(servers: Servers, name: str, rival: Rival) -> None:
    require(peer_missing(rival.server))
    case = CASES[name]
    theirs = await (rival.run or case.run)(await servers.get(rival.server))
    ours = await case.run(await servers.get(BOARDCAST))
    assert theirs.keys() == ours.keys()
    # Object ids, the digits of offsets, the precision of times and the framing of a message differ slightly.
    assert not rival.same_bytes or theirs.get(_BYTES, 0) == pytest.approx(ours.get(_BYTES, 0), rel=0.12)


@pytest.mark.parametrize("name", ["websocket", "websocket-paced", "ingest"])
async def test_line_has_two_hundred_bytes(servers: Servers, name: str) -> None:
    figures = await CASES[name].run(await servers.get(BOARDCAST))
    assert 200 <= figures[_BYTES] < 210


@pytest.mark.parametrize("name", list(GROWTHS))
async def test_growth_is_measured_at_two_sizes(servers: Servers, name: str) -> None:
    server = await servers.get(BOARDCAST)
    figure, at = GROWTHS[name]
    costs = [(await at(size)(server))[figure] for size in (2, 4)]
    assert all(math.isfinite(cost) and cost > 0 for cost in costs)


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
async def test_lines_in_any_pieces_are_counted(opener: Opener, piece: int) -> None:
    opening = opener("b")
    async with deadline(20), _read(opening, range(3), piece) as client:
        assert await _all_seen(client, 3) > 0


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    "numbers", [[1], [0, 0], [0, 2, 1], [0, 1, 2, 4]], ids=["lost", "twice", "overtaken", "skipped"]
)
async def test_line_out_of_turn_is_a_fault(opener: Opener, numbers: list[int]) -> None:
    with pytest.raises(MessageFault, match="fault expected mark"):
        async with deadline(20), _read(opener("b"), numbers, 10_000) as client:
            await _all_seen(client, 4)


@pytest.mark.parametrize("opener", OPENERS)
async def test_stream_that_ends_is_a_fault(opener: Opener) -> None:
    with pytest.raises(MessageFault, match="the server ended a stream"):
        async with deadline(20), _read(opener("b"), [0], 10_000, then_close=True) as client:
            await _all_seen(client, 4)


@pytest.mark.parametrize("piece", [1, 7, 90, 10_000])
@pytest.mark.parametrize(("cut", "seen"), [(0, 2), (1, 1)], ids=["whole", "cut"])
async def test_first_words_count_once_all_is_there(piece: int, cut: int, seen: int) -> None:
    moved = _framed("ws", '{"type":"card_moved",' + "." * 300 + "}")
    other = _framed("ws", '{"type":"card_added","says":{"type":"card_moved"}}')
    sent = [_framed("ws", _SNAPSHOTS["ws"]), moved, other, moved[: len(moved) - cut]]
    opening = board_socket("b").counting('{"type":"card_moved"')
    with pytest.raises(MessageFault, match=f"ended a stream behind mark {seen}"):
        async with deadline(20), _reading(opening, sent, piece, then_close=True) as client:
            await _all_seen(client, 3)


async def _all_seen(client: LoadClient, marks: int) -> int:
    await client.expect(marks)
    return await client.completed()


@asynccontextmanager
async def _read(
    opening: Opening, numbers: range | list[int], piece: int, *, then_close: bool = False
) -> AsyncIterator[LoadClient]:
    """Read numbered lines after a snapshot."""
    lines = [_line(opening.kind, number) for number in numbers]
    sent = [_framed(opening.kind, _SNAPSHOTS[opening.kind]), *lines]
    async with _reading(opening, sent, piece, then_close=then_close) as client:
        yield client


@asynccontextmanager
async def _reading(
    opening: Opening, sent: list[bytes], piece: int, *, then_close: bool = False
) -> AsyncIterator[LoadClient]:
    """Read from a server that sends a script, in pieces of this many bytes."""
    script = functools.partial(_send, _HEADS[opening.kind] + b"".join(sent), piece, then_close)
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


def test_simulation_of_many_nodes_knows_a_database_that_is_too_small() -> None:
    size = Installation(nodes=20, readers=10_000, boards=1000, events=100.0, homes=2)
    small = dict(report(replace(size, database_cores=0.01), Costs()))
    large = dict(report(size, Costs()))
    assert (small["seconds in which the database reads their replays"], small.keys()) == ("inf", large.keys())
    assert math.isfinite(float(large["seconds in which the database reads their replays"]))
    anywhere = dict(report(replace(size, homes=0), Costs()))
    following = [float(one["nodes that follow a board, mean"]) for one in (large, anywhere)]
    assert following[0] <= size.homes < following[1]
