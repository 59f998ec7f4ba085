"""The lifetime of one connection, as its subscribers and its exit see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from realtime.fanout.light_event import LightEvent
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.grants import Action, Grants
from realtime.kanban.ids import BoardId
from realtime.lifetimes.goodbyes import Goodbye, grants_reduced
from realtime.messages.envelopes import access

__all__ = ["ConnectionLifetime", "Hold", "Need"]

#: The grant without which a subscriber must end: an action, and the board on which (None = all boards).
Need = tuple[Action, BoardId | None]


class Hold(Protocol):
    """A token that ends the connection (`realtime.lifetimes.credentials`)."""

    #: When the token expires, once its clients are to be warned; None = not yet, or never.
    warning: datetime | None

    def release(self) -> None:
        """Remove the hold from its connection; allowed twice."""


class ConnectionLifetime:
    """The lifetime of one connection, with its subscribers.

    1. `end` sends a goodbye to each subscriber of the connection; a subscriber that is added later gets it at once.
    2. `ended` and `watch` inform the connection itself, which may have no subscriber. It closes after its subscribers.
    3. After `ConnectionLifetimes.refresh` a subscriber whose need the grants do not cover gets a goodbye of its own.
    4. `warn` sends `access` with the end of a token to each subscriber; one that is added later gets it at once.
    """

    __slots__ = ("_ended", "_goodbye", "_grants", "_subscribers", "_watcher", "holds")

    def __init__(self) -> None:
        """Start without subscribers, and not ended."""
        self._subscribers: dict[Subscriber, Need | None] = {}
        #: The tokens that end the connection.
        self.holds: list[Hold] = []
        self._grants: Grants | None = None
        self._goodbye: Goodbye | None = None
        self._watcher: Callable[[Goodbye], object] | None = None
        self._ended = LightEvent()

    def end(self, goodbye: Goodbye) -> None:
        """End the connection with `goodbye`; only the first call counts."""
        if self._goodbye is None:
            self._goodbye = goodbye
            for subscriber in self._subscribers:
                goodbye.send(subscriber)
            self._ended.set()
            self.watch(self._watcher)

    def watch(self, watcher: Callable[[Goodbye], object] | None) -> None:
        """Call `watcher` with the goodbye, at once or at the end, in place of an earlier watcher; needs no task."""
        self._watcher = watcher
        if watcher is not None and self._goodbye is not None:
            watcher(self._goodbye)

    async def ended(self) -> Goodbye:
        """Wait for the goodbye and return it."""
        while self._goodbye is None:
            await self._ended.wait()
        return self._goodbye

    def add(self, subscriber: Subscriber, need: Need | None = None) -> None:
        """Add a subscriber to the connection; None = it needs no grant."""
        self._subscribers[subscriber] = need
        for expires_at in sorted(self.warned_of()):
            subscriber.put_nowait((access(expires_at),))
        if self._goodbye is not None:
            self._goodbye.send(subscriber)
        self._is_ended(subscriber, need)

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber that was added."""
        del self._subscribers[subscriber]

    def warn(self, expires_at: datetime) -> None:
        """Tell each subscriber when a token of the connection expires; the caller makes sure that it is new to them."""
        for subscriber in self._subscribers:
            subscriber.put_nowait((access(expires_at),))

    def warned_of(self) -> set[datetime]:
        """Return the ends of tokens of which the subscribers know."""
        return {hold.warning for hold in self.holds if hold.warning is not None}

    @property
    def is_refreshed(self) -> bool:
        """Whether a new token has taken the place of those with which the connection began."""
        return self._grants is not None

    def refresh(self, grants: Grants) -> int:
        """Drop all holds, and end the subscribers whose need `grants` do not cover, now and later.

        Return the number of those that end now.
        """
        self._grants = grants
        self.release()
        return sum(self._is_ended(subscriber, need) for subscriber, need in self._subscribers.items())

    def release(self) -> None:
        """Drop all holds."""
        while self.holds:
            self.holds[-1].release()

    def _is_ended(self, subscriber: Subscriber, need: Need | None) -> bool:
        """End a subscriber whose need the grants do not cover; return whether it was one."""
        if self._grants is None or need is None or self._grants.allow(*need):
            return False
        grants_reduced().send(subscriber)
        return True
