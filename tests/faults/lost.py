"""How a connection may end, seen from a client."""

from __future__ import annotations

import anyio

from tests.equivalence.reader import Ended
from tests.kit.raw_socket import Closed
from tests.kit.sse_reader import StreamEnded

__all__ = ["LOST"]

#: What a client meets when its connection ends, or is refused. `AssertionError`: an answer cut short, or one that
#: belongs to a server that has gone; who catches it sees that the server was told to go.
LOST = (
    *(Ended, Closed, StreamEnded, OSError, AssertionError),
    *(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead),
)
