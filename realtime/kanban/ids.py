"""Identifiers: opaque strings of 1 to 200 characters, and functions that make new ones.

docs/protocol.md and docs/ingest.md describe them.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Annotated, NewType
from uuid import uuid4

from pydantic import StringConstraints

__all__ = [
    "AttemptId",
    "BoardId",
    "CardId",
    "ColumnId",
    "Id",
    "log_id",
    "new_attempt_id",
    "new_board_id",
    "new_card_id",
    "new_column_id",
    "ticket_number",
    "ticket_prefix",
]

#: An identifier from outside.
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]

BoardId = NewType("BoardId", str)
ColumnId = NewType("ColumnId", str)
CardId = NewType("CardId", str)
AttemptId = NewType("AttemptId", str)

PREFIX_CHARS = 6
FALLBACK_PREFIX = "PRJ"
# At most 15 digits: a longer number would not fit the 64 bits of the databases.
_TICKET_NUMBER = re.compile(r"-([0-9]{1,15})\Z")


# RFC 9562, 4.1: the two highest bits of the octet are 10.
_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def new_board_id() -> BoardId:
    """Return a new id for a project and its board, which share one id."""
    return BoardId(str(uuid4()))


def new_column_id() -> ColumnId:
    """Return a new `col-<uuid>`."""
    return ColumnId(f"col-{uuid4()}")


def new_card_id() -> CardId:
    """Return a new `card-<uuid>`."""
    return CardId(f"card-{uuid4()}")


def new_attempt_id() -> AttemptId:
    """Return a new `att-<uuid>`."""
    return AttemptId(f"att-{uuid4()}")


def log_id(board_id: str, attempt_id: str, offset: int) -> str:
    """Return the id of a line of a log, `log-<uuid>`; `offset` is that of its event in the log of the board.

    It is computed, so that the event of a line and the row of the line have the same id without storing it.
    """
    # The length keeps boards and attempts apart. A UUID of version 8 is made by a rule of its own (RFC 9562, 5.8).
    named = f"{offset}:{len(board_id)}:{board_id}{attempt_id}".encode(errors="surrogatepass")
    digits = blake2b(named, digest_size=16, person=b"log line").hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"log-{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def ticket_prefix(name: str) -> str:
    """Return the prefix of a board's ticket keys, made from its project's name: `Beta & Co 2` gives `BC2`.

    It has the first letter of each word, in upper case: only A-Z and 0-9, and at most six characters. If none is left,
    the prefix is `PRJ` (docs/protocol.md, "State").
    """
    letters = (word[0].upper() for word in name.split())
    prefix = "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
    return prefix[:PREFIX_CHARS] or FALLBACK_PREFIX


def ticket_number(key: str | None) -> int:
    """Return the number at the end of a ticket key, 0 if there is none."""
    found = _TICKET_NUMBER.search(key or "")
    return int(found[1]) if found else 0
