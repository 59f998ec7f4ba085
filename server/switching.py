"""How soon one thread of the process lets another have Python's lock."""

from __future__ import annotations

import sys

__all__ = ["switch_soon"]

#: Seconds after which a thread that waits for the lock is given it (Python's default is 0.005).
SOON_SECONDS = 0.0001


def switch_soon() -> None:
    """Let the threads of the database have the lock while the loop is busy with a crowd of readers.

    A thread that waits asks for it when so much time has gone by without any switch. The loop gives it away for a
    moment in each of its turns and takes it back before the thread has woken up; with turns that are shorter than the
    interval the thread never asks, and waited for 20 ms where it needs one.
    """
    sys.setswitchinterval(SOON_SECONDS)
