"""Whether a main file still has what a checkpoint carried over from the log (https://sqlite.org/fileformat2.html, 4).

Of a page that is in the log SQLite reads the log's, for as long as the log is not begun anew. So it does not see that
the main file's was damaged meanwhile, and would lose the page by beginning the log anew.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

__all__ = ["Carried", "has_carried_pages", "is_log_readable", "salts_of"]

HEADER = struct.Struct(">8xI4x8s8x")
FRAME = struct.Struct(">I4x8s8x")


class Carried(NamedTuple):
    """What is known to be in the main file: so many frames of the log, counted from its beginning."""

    #: Tell the log from what it is after it is begun anew.
    salts: bytes
    frames: int


def salts_of(log: int) -> bytes:
    """Return the salts of the log of this descriptor; empty when it has no header yet."""
    return os.pread(log, HEADER.size, 0)[16:24]


def is_log_readable(log: int) -> bool:
    """Tell whether a process that starts would read the log of this descriptor: by its header, and the first frame's.

    SQLite looks at neither again once it has opened a log, and a log that does not begin well counts as empty.
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
    """Tell whether the main file has each page as the log has it; both are descriptors.

    Nothing is told of pages that are in the log once more, further on: tools carry over, too.
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
