"""The ways in which a client may see its connection end."""

from __future__ import annotations

import anyio

from tests.equivalence.subscriber import Ended
from tests.kit.raw_socket import Closed
from tests.kit.sse_reader import StreamEnded

__all__ = ["DISCONNECTS"]

#: The exceptions of a client whose connection ends or is refused. An answer that is cut short, or that comes from a
#: server that has ended, raises `AssertionError`. Code that catches it must check that the server was ended.
DISCONNECTS = (
    *(Ended, Closed, StreamEnded, OSError, AssertionError),
    *(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead),
)
