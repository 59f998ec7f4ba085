"""Pieces of gzip that streams share: each body is whole, whatever pieces it has, and can be read at any piece."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.protocol.deflate import MAX_STORED
from server.protocol.http.gzip_pieces import HEAD, GzipBody, Piece

_WORDS = b" ".join(b"%d" % number for number in range(30_000))
_TEXTS = [b"", b"x", b": alive\n\n", _WORDS[:1023], _WORDS[:1024], _WORDS[:50_000], _WORDS, b"\0" * (MAX_STORED + 5)]


def _body(pieces: list[Piece]) -> bytes:
    body = GzipBody()
    for piece in pieces:
        body.add(piece)
    return b"".join((HEAD, *(piece.packed for piece in pieces), body.end()))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_TEXTS), st.booleans()), max_size=12))
def test_body_of_any_pieces_is_whole(texts: list[tuple[bytes, bool]]) -> None:
    pieces = [Piece.of(text) if packs else Piece.plain(text) for text, packs in texts]
    whole = b"".join(text for text, _ in texts)
    assert gzip.decompress(_body(pieces)) == whole
    assert gzip.decompress(_body([Piece.joined(pieces)])) == whole
    assert gzip.decompress(_body([*pieces, Piece.joined(pieces)])) == whole * 2


@pytest.mark.parametrize("text", _TEXTS)
def test_piece_is_readable_as_soon_as_it_has_come(text: bytes) -> None:
    for piece in (Piece.of(text), Piece.plain(text)):
        assert zlib.decompressobj(31).decompress(HEAD + piece.packed) == text


def test_plain_piece_shows_its_bytes_and_a_packed_one_is_shorter() -> None:
    assert b"a secret" in Piece.plain(b"a secret" * 1000).packed
    assert len(Piece.of(_WORDS).packed) < len(_WORDS) / 2


def test_chunk_holds_the_piece() -> None:
    piece = Piece.of(_WORDS)
    assert piece.chunk == b"%x\r\n%b\r\n" % (len(piece.packed), piece.packed)
