"""Pieces of deflate that follow each other in any order, and the limits of what a client sends compressed."""

from __future__ import annotations

import random
import tracemalloc
import zlib

import pytest

from server.protocol.deflate import MAX_STORED, TAIL, BadDeflate, TooLong, deflated, inflated, stored

_WORDS = b" ".join(b"%d" % number for number in range(20_000))
#: "Hello" in a final block (RFC 7692, 7.2.3.5), without the padding behind the last one.
_FINAL_HELLO = bytes.fromhex("f348cdc9c90700")
_LIMIT = 1024 * 1024


@pytest.mark.parametrize("size", [1, 5, 1023, 70_000, len(_WORDS)])
def test_piece_is_read_back_within_its_length_and_not_below(size: int) -> None:
    message = deflated(_WORDS[:size]).removesuffix(TAIL)
    assert inflated(message, size) == _WORDS[:size]
    with pytest.raises(TooLong):
        inflated(message, size - 1)


def test_pieces_follow_each_other_in_any_order() -> None:
    texts = [_WORDS[:5000], b"own", _WORDS[2000:9000], b"", b"x" * MAX_STORED]
    pieces = [stored(text) if len(text) in (3, 0, MAX_STORED) else deflated(text) for text in texts]
    order = list(range(len(texts))) * 3
    random.Random(1).shuffle(order)
    stream = b"".join(pieces[one] for one in order)
    assert zlib.decompressobj(-15).decompress(stream) == b"".join(texts[one] for one in order)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"\x00", b""),
        (bytes.fromhex("f248cdc9c90700"), b"Hello"),
        (bytes.fromhex("000500faff48656c6c6f00"), b"Hello"),
        (_FINAL_HELLO + b"\x00", b"Hello"),
        (_FINAL_HELLO * 3 + b"\x00", b"Hello" * 3),
        (bytes.fromhex("f248050000 00ffff cac9c90700"), b"Hello"),
    ],
)
def test_examples_of_the_rfc(message: bytes, text: bytes) -> None:
    assert inflated(message, 100) == text


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff" * 10,
        b"\x06",
        bytes.fromhex("f200110000"),
        deflated(_WORDS)[:1000],
        stored(b"whole")[:-1] + b"\x00",
        _FINAL_HELLO * 16 + b"\x00",
        b"\x03\x00" * 1000 + b"\x00",
    ],
    ids=[
        "empty",
        "rubbish",
        "bad kind of block",
        "needs the message before",
        "cut",
        "stored and cut",
        "final blocks",
        "empty ones",
    ],
)
def test_what_is_no_whole_deflate_is_refused(message: bytes) -> None:
    with pytest.raises(BadDeflate, match=r"^expected .*got "):
        inflated(message, _LIMIT)


def test_blocks_without_content_end() -> None:
    assert inflated(b"\x00\x00\x00\xff\xff" * 100_000 + b"\x00", _LIMIT) == b""


@pytest.mark.parametrize("final", [False, True])
def test_bomb_is_cut_before_it_is_inflated(final: bool) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(256 * _LIMIT)) + packer.flush(zlib.Z_FINISH if final else zlib.Z_SYNC_FLUSH)
    bomb = bomb + b"\x00" if final else bomb.removesuffix(TAIL)
    tracemalloc.start()
    try:
        with pytest.raises(TooLong):
            inflated(bomb, _LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 4 * _LIMIT
    finally:
        tracemalloc.stop()
