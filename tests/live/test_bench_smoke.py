"""The benchmark still runs: small sizes of its cases reach every reader, and what went wrong would be noticed.

Nothing is timed here; figures come from `make bench`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bench.cases import FanOut, StateAfterCard
from tests.bench.readers import Audience, EventStreamReader, MessageFault, Reader, SocketReader
from tests.bench.report import table
from tests.bench.servers import BenchServer, boardcast, node_peer
from tests.bench.workload import STRAY_LINE, line_marks
from tests.clients.requirements import require_node

KINDS = [pytest.param(SocketReader, id="websocket"), pytest.param(EventStreamReader, id="sse")]
_HEADS: dict[type[Reader], bytes] = {
    SocketReader: b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    EventStreamReader: b"HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BenchServer]:
    async with boardcast(tmp_path_factory.mktemp("bench")) as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
async def test_fan_out_reaches_every_reader(server: BenchServer, kind: type[Reader]) -> None:
    figures = await FanOut(kind, readers=3, events=10, batch=4).run(server)
    assert 180 < figures["bytes per delivered"] < 220
    assert figures["delivered per second"] > 0


@pytest.mark.node
@pytest.mark.parametrize("kind", KINDS)
async def test_peer_sends_as_many_bytes(server: BenchServer, kind: type[Reader]) -> None:
    require_node()
    case = FanOut(kind, readers=3, events=10, batch=4)
    async with node_peer() as peer:
        theirs = await case.run(peer)
    ours = await case.run(server)
    # Random epochs and the digits of offsets may differ by a little.
    assert theirs["bytes per delivered"] == pytest.approx(ours["bytes per delivered"], abs=2)


async def test_state_after_card_reaches_every_reader(server: BenchServer) -> None:
    figures = await StateAfterCard(readers=3, cards=5, created=2).run(server)
    assert figures["ms to the last reader, worst"] >= figures["ms to the last reader, median"] > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("piece", [1, 7, 10_000])
async def test_lines_in_any_pieces_are_counted(kind: type[Reader], piece: int) -> None:
    audience, reader = _seated(kind)
    sent = _HEADS[kind] + _snapshot(kind) + b"".join(_line(kind, number) for number in range(3))
    for start in range(0, len(sent), piece):
        reader.data_received(sent[start : start + piece])
    assert (reader.seen, audience.bytes_received) == (4, len(sent))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("numbers", [[1], [0, 0], [0, 2, 1], [0, 1, 2, 3]], ids=["lost", "twice", "overtaken", "extra"])
async def test_line_out_of_turn_is_a_fault(kind: type[Reader], numbers: list[int]) -> None:
    audience, reader = _seated(kind)
    reader.data_received(_HEADS[kind] + _snapshot(kind) + b"".join(_line(kind, number) for number in numbers))
    with pytest.raises(MessageFault, match="marks came"):
        await audience.expect(4)


def test_table_shows_median_spread_and_ratio() -> None:
    taken = {
        "ours": [{"µs": value} for value in (1.0, 2.0, 9.0)],
        "theirs": [{"µs": value} for value in (2.0, 4.0, 6.0)],
    }
    title, head, row = table("A case", taken).splitlines()
    assert (title, head.split()) == ("A case", ["ours", "theirs", "ratio"])
    assert " ".join(row.split()) == "µs 2 (1 to 9) 4 (2 to 6) 0.5 (0.5 to 1.5)"


def _seated(kind: type[Reader]) -> tuple[Audience, Reader]:
    """Return a reader without a connection: it is fed by hand."""
    audience = Audience(("127.0.0.1", 0), "board-1", line_marks(kind, 3), STRAY_LINE)
    return audience, kind(audience)


def _snapshot(kind: type[Reader]) -> bytes:
    return _framed(kind, '{"type":"state","payload":{}}', "event: state\ndata: {}")


def _line(kind: type[Reader], number: int) -> bytes:
    payload = f'{{"level":"info","message":"#{number:06} {"." * 43}"}}'
    return _framed(kind, f'{{"type":"attempt_log","payload":{payload}}}', f"event: attempt_log\ndata: {payload}")


def _framed(kind: type[Reader], frame: str, block: str) -> bytes:
    if kind is SocketReader:
        size = len(frame)
        return bytes((0x81, size) if size < 126 else (0x81, 126, *size.to_bytes(2))) + frame.encode()
    chunk = f"{block}\n\n"
    return f"{len(chunk):x}\r\n{chunk}\r\n".encode()
