"""Positions: where in the log a reader is, and the one string for it on every exit (docs/protocol.md, "Resuming").

A cursor reads `<epoch>-<channel tag>-<offset>-<global offset>`, with `.<part>` behind the offset where a reader has
had only some of an event's envelopes (or, of a changed board, only some of its changes). It is opaque to clients; the
form may change with the epoch.
"""

from __future__ import annotations

import re
from hashlib import blake2s
from typing import NamedTuple

from realtime.caches import bounded_cache
from realtime.messages.channels import Channel

__all__ = ["InvalidCursor", "Position", "channel_tag", "parse_cursor"]

_CURSOR = re.compile(r"([0-9a-z]{1,32})-([0-9a-f]{8})-([0-9]{1,18})(?:\.([0-9]{1,6}))?-([0-9]{1,18})\Z")


class InvalidCursor(ValueError):
    """The string is no cursor of this server's."""


# More entries than boards are busy at one time: one too few, and in turn each misses.
@bounded_cache(65_536, max_chars=80, chars=len)
def channel_tag(channel: Channel) -> str:
    """Return eight hex digits that tell channels apart, so that a cursor of another board is recognised."""
    return blake2s(channel.encode(), digest_size=4).hexdigest()


class Position(NamedTuple):
    """The last thing a reader of a channel has seen."""

    #: Changes when history was lost; positions of different epochs have nothing to do with each other.
    epoch: str
    #: `channel_tag` of the channel.
    tag: str
    #: Offset of the last event of the channel's own log, 0 before the first.
    offset: int
    #: Offset of the last global event.
    global_offset: int
    #: How many envelopes of the event at `offset + 1` were seen too (changes, where it changed the board, whatever the
    #: delivery); 0 when events were seen whole.
    part: int = 0

    @property
    def cursor(self) -> str:
        """The position as clients get it."""
        part = f".{self.part}" if self.part else ""
        return f"{self.epoch}-{self.tag}-{self.offset}{part}-{self.global_offset}"

    def whole(self) -> Position:
        """Return the position behind the last event that was seen whole."""
        return self._replace(part=0)

    def moved_globally(self, global_offset: int) -> Position:
        """Return the position of a reader that has seen one more global event."""
        return self._replace(global_offset=global_offset)

    def gap_since(self, seen: Position) -> str | None:
        """Return why nothing leads from `seen` to here (the reason of a `gap`), None when the log may."""
        if seen.epoch != self.epoch:
            return "epoch_changed"
        if seen.tag != self.tag:
            return "other_board"
        if (seen.offset, seen.part) > (self.offset, self.part) or seen.global_offset > self.global_offset:
            return "invalid_cursor"
        return None


def parse_cursor(cursor: str) -> Position:
    """Read what `Position.cursor` gave.

    Raises:
        InvalidCursor: it is no cursor.
    """
    found = _CURSOR.match(cursor)
    if found is None:
        raise InvalidCursor(f"expected a cursor of this server, got {cursor!r:.80}")
    epoch, tag, offset, part, global_offset = found.groups()
    return Position(epoch, tag, int(offset), int(global_offset), int(part or 0))
