"""A check that the main file still has the pages that a checkpoint copied into it from the write-ahead log.

(https://sqlite.org/fileformat2.html, section 4.) SQLite reads a page from the log as long as the log has it, so it does
not notice that the main file's copy was damaged. When SQLite restarts the log, the page would be lost.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

__all__ = ["Carried", "has_carried_pages", "is_log_readable", "salts_of"]

HEADER = struct.Struct(">8xI4x8s8x")
FRAME = struct.Struct(">I4x8s8x")


class Carried(NamedTuple):
    """The frames of the log that are known to be in the main file: a number of frames from the log's beginning."""

    #: Salts of the log: they change when SQLite restarts the log.
    salts: bytes
    frames: int


def salts_of(log: int) -> bytes:
    """Return the salts of the log with this descriptor; empty if the log has no header yet."""
    return os.pread(log, HEADER.size, 0)[16:24]


def is_log_readable(log: int) -> bool:
    """Return whether a starting process would read the log with this descriptor, by its header and its first frame.

    SQLite never checks either again after it has opened a log. It takes a log with a bad beginning for an empty one.
    """
    header = os.pread(log, HEADER.size, 0)
    if len(header) < HEADER.size:
        return True  # it is empty
    first = os.pread(log, FRAME.size, HEADER.size)
    order = {0x377F0682: "<", 0x377F0683: ">"}.get(int.from_bytes(header[:4], "big"))
    if order is None or _checksum(struct.unpack(f"{order}6I", header[:24])) != struct.unpack(">2I", header[24:]):
        return False
    return len(first) < FRAME.size or FRAME.unpack(first)[1] == header[16:24]


def _checksum(words: tuple[int, ...]) -> tuple[int, int]:
    one = two = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        one = (one + even + two) & 0xFFFFFFFF
        two = (two + odd + one) & 0xFFFFFFFF
    return one, two


def has_carried_pages(main: int, log: int, carried: Carried) -> bool:
    """Return whether the main file has each page as the log has it; both arguments are descriptors.

    Pages that the log has again further on are not compared, because other tools make checkpoints, too.
    """
    header = os.pread(log, HEADER.size, 0)
    if len(header) < HEADER.size or HEADER.unpack(header)[1] != carried.salts:
        return True
    page_bytes = HEADER.unpack(header)[0]
    last: dict[int, int] = {}
    place, number = HEADER.size, 0
    while len(frame := os.pread(log, FRAME.size, place)) == FRAME.size:
        page, salts = FRAME.unpack(frame)
        if salts != carried.salts:
            break
        number += 1
        last[page] = place if number <= carried.frames else -1
        place += FRAME.size + page_bytes
    return all(
        os.pread(main, page_bytes, (page - 1) * page_bytes) == os.pread(log, page_bytes, place + FRAME.size)
        for page, place in last.items()
        if place >= 0
    )
