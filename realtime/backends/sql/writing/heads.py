"""The heads of a write unit: the offset of the last event of each channel that it reads or writes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from realtime.backends.sql.prepared import PreparedList
from realtime.backends.sql.tables import channels
from realtime.messages.channels import Channel

__all__ = ["Heads"]

_stored = PreparedList(
    select(*channels.c["channel", "offset"]).where(channels.c.channel.in_(bindparam("names", expanding=True))), "names"
)


class Heads:
    """The heads in a database with one writer: nobody else changes them while the unit runs."""

    def __init__(self, connection: Connection) -> None:
        """Read with `connection`, inside its transaction."""
        self._connection = connection
        self._known: dict[Channel, int] = {}

    def read(self, names: Collection[Channel]) -> dict[Channel, int]:
        """Return the heads of all channels that the unit knows, with those of `names`; 0 before the first event."""
        unknown = [name for name in names if name not in self._known]
        if unknown:
            self._known |= dict.fromkeys(unknown, 0) | dict(_stored.rows(self._connection, unknown))
        return self._known

    def lock(self, names: Collection[Channel]) -> None:
        """Keep others from writing to these channels; here nobody else writes."""
        self.read(names)

    def take(self, names: Collection[Channel]) -> dict[Channel, int]:
        """Return the same dictionary, in which the caller may move the heads of `names` on."""
        return self.read(names)
