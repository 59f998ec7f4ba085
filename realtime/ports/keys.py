"""Idempotency keys: the names that clients give to their requests, so that a repeated request happens once."""

from __future__ import annotations

from typing import NamedTuple

from realtime.messages.channels import Channel

__all__ = ["FirstAnswer", "KeyedRequest", "RequestKey"]


class RequestKey(NamedTuple):
    """An idempotency key with everything that it belongs to. Equal texts of two subjects are two keys."""

    #: The channel of the board; for requests about projects and global events, `EVERYBODY`.
    scope: Channel
    #: The authenticated caller; empty = anonymous.
    subject: str
    #: The text that the client has chosen.
    text: str


class KeyedRequest(NamedTuple):
    """A request with an idempotency key."""

    key: RequestKey
    #: SHA-256 of the request (`writing.fingerprints`).
    fingerprint: bytes


class FirstAnswer(NamedTuple):
    """The place of the first request under a key in the log, which has the rest of the answer."""

    key: RequestKey
    #: As in `KeyedRequest`; empty = not known.
    fingerprint: bytes
    #: The channel of the events of the request.
    channel: Channel
    #: Offset of the last event before the request.
    after: int
    #: Offset of the last event of the request; equal to `after` if it changed nothing.
    offset: int
    global_offset: int

    def is_of(self, request: KeyedRequest) -> bool:
        """Return whether a request with this key is the first one again."""
        return self.fingerprint in (b"", request.fingerprint)
