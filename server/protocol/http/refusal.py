"""What ends the reading of requests from a connection: what came is no HTTP/1.1, or more than there may be."""

from __future__ import annotations

__all__ = ["RequestRefused"]


class RequestRefused(Exception):
    """A request that nobody can answer but with this status; what follows it cannot be read either."""

    def __init__(self, status: int, sentence: str) -> None:
        """`sentence` says what was expected and what came."""
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence
        #: Whether the client wanted a WebSocket, as far as its head shows: then the answer names our version of it.
        self.was_handshake = False
