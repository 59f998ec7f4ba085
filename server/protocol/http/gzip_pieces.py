"""gzip (RFC 1952) of an endless body in pieces that many streams share.

Each piece is whole blocks of deflate, which a client can inflate as soon as they have come. Only the checksum at the
end of a body depends on all of it. CRC-32 is linear: the checksum behind a piece follows from that before it, so no
stream has to read the bytes of a piece again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cache, cached_property

from server.protocol.deflate import MAX_STORED, MIN_BYTES, deflated, stored

__all__ = ["HEAD", "GzipBody", "Piece"]

#: The beginning of a body: no time, no name, unknown system.
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
#: An empty final block of deflate.
_END = b"\x03\x00"
#: The polynomial of CRC-32, lowest power first.
_POLYNOMIAL = 0xEDB88320
_ONE = 0x80000000
_NIBBLES = range(28, -4, -4)


class Piece:
    """Some bytes of a body, compressed; immutable, and shared by all streams that send them."""

    def __init__(self, packed: bytes, crc: int, size: int) -> None:
        """Hold `packed`, whole blocks of `size` bytes with the checksum `crc`."""
        self.packed = packed
        self.size = size
        self._crc = crc

    @classmethod
    def of(cls, data: bytes) -> Piece:
        """Compress `data`; a short text is stored, because a block of its own would be longer."""
        if len(data) < MIN_BYTES:
            return cls.plain(data)
        return cls(deflated(data), zlib.crc32(data), len(data))

    @classmethod
    def plain(cls, data: bytes) -> Piece:
        """Store `data` without compression."""
        parts = [data[place : place + MAX_STORED] for place in range(0, len(data), MAX_STORED)]
        return cls(b"".join(map(stored, parts)), zlib.crc32(data), len(data))

    @classmethod
    def joined(cls, pieces: Iterable[Piece]) -> Piece:
        """Return pieces as one."""
        parts, crc = list(pieces), 0
        for piece in parts:
            crc = piece.crc_behind(crc)
        return cls(b"".join([piece.packed for piece in parts]), crc, sum(piece.size for piece in parts))

    @cached_property
    def chunk(self) -> bytes:
        """The piece as a chunk of a body (RFC 9112, 7.1)."""
        return b"%x\r\n%b\r\n" % (len(self.packed), self.packed)

    def crc_behind(self, before: int) -> int:
        """Return the checksum of a body that ends with this piece, from its checksum before the piece."""
        if not before:
            return self._crc
        moved = 0
        for table, shift in zip(self._tables, _NIBBLES, strict=True):
            moved ^= table[before >> shift & 15]
        return moved ^ self._crc

    @cached_property
    def _tables(self) -> list[list[int]]:
        """For each four bits of a checksum: what they become behind the bytes of this piece."""
        bits, bit = [], _power(self.size)
        for _ in range(32):
            bits.append(bit)
            bit = bit >> 1 ^ (_POLYNOMIAL if bit & 1 else 0)
        tables = []
        for first in range(0, 32, 4):
            eight, four, two, one = bits[first : first + 4]
            table = [0] * 16
            for value in range(1, 16):
                table[value] = (
                    (eight if value & 8 else 0) ^ (four if value & 4 else 0) ^ (two if value & 2 else 0)
                ) ^ (one if value & 1 else 0)
            tables.append(table)
        return tables


class GzipBody:
    """The checksum and the length of one body."""

    __slots__ = ("_crc", "_size")

    def __init__(self) -> None:
        """Begin with an empty body."""
        self._crc = self._size = 0

    def add(self, piece: Piece) -> None:
        """Note that `piece` was sent behind all earlier ones."""
        self._crc = piece.crc_behind(self._crc)
        self._size += piece.size

    def end(self) -> bytes:
        """Return the end of the body, behind the last piece."""
        return _END + self._crc.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little")


def _product(one: int, other: int) -> int:
    """Return the product of two polynomials modulo that of CRC-32."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = one << 1 & 0xFFFFFFFF
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return product


@cache
def _square(number: int) -> int:
    """Return x^(8 * 2^number), by which a checksum is multiplied behind 2^number bytes."""
    if not number:
        return _ONE >> 8
    half = _square(number - 1)
    return _product(half, half)


def _power(size: int) -> int:
    """Return x^(8 * size)."""
    power = _ONE
    for number in range(size.bit_length()):
        if size >> number & 1:
            power = _product(power, _square(number))
    return power
