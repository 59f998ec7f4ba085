"""The error that ends the reading of requests from a connection: the bytes are no HTTP/1.1, or too many."""

from __future__ import annotations

__all__ = ["RequestRefused"]


class RequestRefused(Exception):
    """A request that the server can only refuse with this status; the bytes after it cannot be read either."""

    def __init__(self, status: int, sentence: str) -> None:
        """Store both; `sentence` says what was expected and what came."""
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence
        #: Whether the head, as far as it was read, asks for a WebSocket. Then the answer names our WebSocket version.
        self.was_handshake = False
