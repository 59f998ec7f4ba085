"""One open exit in a thread of its own, and what came on it so far, with times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.client import HTTPException

from websockets.exceptions import WebSocketException

from server.command_line.asking import Remote
from server.command_line.doctor.exits import Item, NotOpened, Opened, OpenExit

__all__ = ["Probe"]

#: Most messages that one exit may bring; a doctor causes some hundred.
MAX_ITEMS = 100_000


class Probe:
    """Reads one exit until `close`."""

    def __init__(self, name: str, open_exit: OpenExit, seconds: float) -> None:
        """Store how the exit is opened; `seconds` is the deadline for opening it."""
        self.name = name
        #: What came, with the time in seconds (`time.perf_counter`).
        self.items: list[tuple[float, Item]] = []
        #: Why it is not open, or no longer; None while all is well.
        self.fault: str | None = None
        self.opened_after: float | None = None
        self._open_exit = open_exit
        self._seconds = seconds
        self._changed = threading.Condition()
        self._opened: Opened | None = None
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def start(self, remote: Remote, board: str, after: str | None = None) -> None:
        """Open the exit in a thread."""
        self._thread = threading.Thread(target=self._run, args=(remote, board, after), daemon=True, name=self.name)
        self._thread.start()

    def wait(self, wanted: Callable[[Item], bool], seconds: float, since: int = 0) -> float | None:
        """Return the time at which a message came that is wanted, behind the first `since`; None = it did not come."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for at, item in self.items[since:]:
                    if wanted(item):
                        return at
                left = deadline - time.monotonic()
                if left <= 0 or self.fault is not None:
                    return None
                self._changed.wait(left)

    def close(self) -> None:
        """End the exit, and wait shortly for its thread; twice is allowed."""
        with self._changed:
            self._is_closed = True
            opened = self._opened
        if opened is not None:
            opened.close()
        if self._thread is not None:
            self._thread.join(self._seconds)

    def _run(self, remote: Remote, board: str, after: str | None) -> None:
        began = time.perf_counter()
        try:
            opened = self._open_exit(remote, board, after, self._seconds)
            with self._changed:
                self._opened = opened
                self.opened_after = time.perf_counter() - began
            for item in opened.items:
                self._note(item)
                if self._is_closed:
                    return
            self._fail("the stream ended")
        except NotOpened as error:
            self._fail(str(error))
        except TimeoutError:
            self._fail("nothing came in time")
        except (OSError, HTTPException, WebSocketException, ValueError) as error:
            self._fail(str(error) or type(error).__name__)
        finally:
            if self._opened is not None:
                self._opened.close()

    def _note(self, item: Item) -> None:
        with self._changed:
            if len(self.items) >= MAX_ITEMS:
                raise NotOpened(f"more than {MAX_ITEMS} messages came")
            self.items.append((time.perf_counter(), item))
            self._changed.notify_all()

    def _fail(self, why: str) -> None:
        with self._changed:
            if not self._is_closed:
                self.fault = why
            self._changed.notify_all()
