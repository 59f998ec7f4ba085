"""Positions: how far a client has read the log, and the same text for it on every exit (docs/protocol.md, "Resuming").

A cursor is `<epoch>-<channel tag>-<offset>-<global offset>`. It has `.<part>` behind the offset if the client has only
some of an event's envelopes (or, for a changed board, only some of its changes). Cursors are opaque to clients; their
form may change with the epoch.
"""

from __future__ import annotations

import re
from hashlib import blake2s
from typing import NamedTuple

from realtime.caches import bounded_cache
from realtime.messages.channels import DASHBOARD, Channel

__all__ = ["EntryCursors", "InvalidCursor", "Place", "Position", "channel_tag", "parse_cursor"]

_OFFSET = re.compile(r"[0-9]{1,18}\Z")
_CURSOR = re.compile(r"([0-9a-z]{1,32})-([0-9a-f]{8})-([0-9]{1,18})(?:\.([0-9]{1,6}))?-([0-9]{1,18})\Z")


class InvalidCursor(ValueError):
    """The text is no cursor of this server."""


# More entries than there are active boards: with one too few, a round over all boards would miss every time.
@bounded_cache(65_536, max_chars=80, chars=len)
def channel_tag(channel: Channel) -> str:
    """Return eight hex digits that identify a channel, so that a cursor of another board is recognised."""
    return blake2s(channel.encode(), digest_size=4).hexdigest()


class Place(NamedTuple):
    """The two numbers of a position that a client may compare: later events of its stream never have a smaller place.

    Agents' events and the envelopes of an opening have the place of the event before them.
    """

    #: Offset of the last event that the client has as a whole, in the log that its stream follows.
    offset: int
    #: Number of parts that it has of the next event.
    part: int


class EntryCursors(NamedTuple):
    """The cursors of a board's logs and conversations: `<epoch>-<channel tag>-<offset>`, the offset of the event."""

    epoch: str
    tag: str

    def at(self, offset: int) -> str:
        """Return the cursor of the entry that the event at `offset` brought."""
        return f"{self.epoch}-{self.tag}-{offset}"

    def offset_of(self, cursor: str) -> int:
        """Return the offset in a cursor.

        Raises:
            InvalidCursor: the text is no cursor of an entry of this board and epoch.
        """
        prefix = f"{self.epoch}-{self.tag}-"
        offset = cursor.removeprefix(prefix)
        if not (cursor.startswith(prefix) and _OFFSET.match(offset)):
            raise InvalidCursor(f"expected a cursor of this list, got {cursor!r:.80}")
        return int(offset)


class Position(NamedTuple):
    """The last event of a channel that a client has, and the last global event."""

    #: Changes when history was lost; positions of different epochs can not be compared.
    epoch: str
    #: `channel_tag` of the channel.
    tag: str
    #: Offset of the last event of the channel's own log, 0 before the first.
    offset: int
    #: Offset of the last global event.
    global_offset: int
    #: Number of envelopes that the client has of the event at `offset + 1`; 0 if it has only whole events. If the event
    #: changed the board, it is the number of changes, for every delivery.
    part: int = 0

    @property
    def cursor(self) -> str:
        """The position as text, as clients get it."""
        part = f".{self.part}" if self.part else ""
        return f"{self.epoch}-{self.tag}-{self.offset}{part}-{self.global_offset}"

    @property
    def place(self) -> Place:
        """The place in the board's log; on a dashboard, in the log of all channels, as a dashboard has no other."""
        is_dashboard = self.tag == channel_tag(DASHBOARD)
        return Place(self.global_offset if is_dashboard else self.offset, self.part)

    @property
    def entries(self) -> EntryCursors:
        """The cursors of entries in the epoch and on the board of the position."""
        return EntryCursors(self.epoch, self.tag)

    def whole(self) -> Position:
        """Return the position behind the last event that the client has as a whole."""
        return self._replace(part=0)

    def moved_globally(self, global_offset: int) -> Position:
        """Return the position after one more global event."""
        return self._replace(global_offset=global_offset)

    def gap_since(self, seen: Position) -> str | None:
        """Return why no replay leads from `seen` to here (the reason of a `gap`), None if one may."""
        if seen.epoch != self.epoch:
            return "epoch_changed"
        if seen.tag != self.tag:
            return "other_board"
        if (seen.offset, seen.part) > (self.offset, self.part) or seen.global_offset > self.global_offset:
            return "invalid_cursor"
        return None


def parse_cursor(cursor: str) -> Position:
    """Parse the text of `Position.cursor`.

    Raises:
        InvalidCursor: the text is no cursor.
    """
    found = _CURSOR.match(cursor)
    if found is None:
        raise InvalidCursor(f"expected a cursor of this server, got {cursor!r:.80}")
    epoch, tag, offset, part, global_offset = found.groups()
    return Position(epoch, tag, int(offset), int(global_offset), int(part or 0))
