"""An outage: since when the database is away, why, and when it is tried again."""

from __future__ import annotations

import logging
import random
import time

__all__ = ["DatabaseAway", "Outage"]

#: Seconds from a failure to the next try; each further failure doubles them, up to the most.
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.1, 2.0
log = logging.getLogger(__name__)


class DatabaseAway(Exception):
    """The database cannot be reached, or does not answer; the message is the reason, without a password."""


class Outage:
    """The failures since the last success; belongs to the event loop.

    During a pause, requests fail at once. Otherwise each of them would take a thread for the length of a timeout.
    """

    def __init__(self) -> None:
        """Begin without a failure."""
        self._reason: str | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._next_try = 0.0

    def check(self) -> None:
        """Return if the database may be tried.

        Raises:
            DatabaseAway: it was away a moment ago.
        """
        if self._reason is not None and time.monotonic() < self._next_try:
            raise DatabaseAway(self._reason)

    def note_away(self, reason: str) -> None:
        """Begin a pause; log the reason if it is a new one."""
        if reason != self._reason:
            log.error("the database cannot be used: %s", reason)
        now = time.monotonic()
        if self._reason is None or now >= self._next_try:  # one step for all requests that failed together
            self._next_try = now + self._pause * random.uniform(0.5, 1.0)
            self._pause = min(2 * self._pause, MOST_PAUSE_SECONDS)
        self._reason = reason

    def note_back(self) -> None:
        """End the outage."""
        if self._reason is not None:
            log.warning("the database is back, and used as before")
            self._reason, self._pause = None, FIRST_PAUSE_SECONDS
