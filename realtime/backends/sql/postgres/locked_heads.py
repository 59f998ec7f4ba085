"""The heads of a write unit beside other writers: a head that the unit has read or written is locked to its end.

Locks are taken in the order of the names, and that of the global head comes last. So two units rarely wait for each
other; if they do, PostgreSQL ends one of them, and the bus decides it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, bindparam, select

from realtime.backends.sql.postgres.locks import lock_global_head
from realtime.backends.sql.prepared import Insertion, PreparedList
from realtime.backends.sql.tables import channels
from realtime.backends.sql.upsert import insert
from realtime.backends.sql.writing.heads import Heads
from realtime.errors import UnitConflict
from realtime.messages.channels import EVERYBODY, Channel

__all__ = ["LockedHeads"]

_locked = PreparedList(
    select(*channels.c["channel", "offset"])
    .where(channels.c.channel.in_(bindparam("names", expanding=True)))
    .order_by(channels.c.channel)
    .with_for_update(),
    "names",
)
_begin = Insertion(insert(channels).on_conflict_do_nothing(), "channel", "offset")


class LockedHeads(Heads):
    """The heads in a database with several writers."""

    def __init__(self, connection: Connection) -> None:
        """Lock and read with `connection`, inside its transaction."""
        super().__init__(connection)
        #: The channels that nobody else can write to; `EVERYBODY` is there if this unit may write to it.
        self._taken: set[Channel] = set()

    def read(self, names: Collection[Channel]) -> dict[Channel, int]:
        """Lock and return the heads. One without an event cannot be locked, so `take` looks at it again."""
        unknown = {name for name in names if name not in self._known}
        boards = unknown - {EVERYBODY}
        if boards:
            self._note(boards, self._lock(boards))
        if EVERYBODY in unknown:
            lock_global_head(self._connection, exclusive=False)
            super().read({EVERYBODY})
        return self._known

    def lock(self, names: Collection[Channel]) -> None:
        """Lock the heads that exist, and the global head for this unit alone if it is among them.

        At once, because two units that both read the global head before they write to it would wait for each other.
        """
        self.read(set(names) - {EVERYBODY})
        if EVERYBODY in names:
            self.take({EVERYBODY})

    def take(self, names: Collection[Channel]) -> dict[Channel, int]:
        """Lock the heads, also those without an event, and return them.

        Raises:
            UnitConflict: another unit has changed a head after this one has read it.
        """
        self.read(set(names) - {EVERYBODY})
        new = sorted(set(names) - self._taken - {EVERYBODY})
        if new:
            _begin.run(self._connection, [(name, 0) for name in new])
            self._note(new, self._lock(new))
        if EVERYBODY in names and EVERYBODY not in self._taken:
            lock_global_head(self._connection, exclusive=True)
            self._note([EVERYBODY], self._lock([EVERYBODY]))
            self._taken.add(EVERYBODY)
        return self._known

    def _lock(self, names: Iterable[Channel]) -> dict[Channel, int]:
        found = {Channel(name): offset for name, offset in _locked.rows(self._connection, sorted(names))}
        self._taken |= found.keys()
        return found

    def _note(self, names: Iterable[Channel], found: dict[Channel, int]) -> None:
        for name in names:
            head = found.get(name, 0)
            if self._known.setdefault(name, head) != head:
                raise UnitConflict(f"the log of {name} went on while a unit was decided")
