"""The idempotency key of a request, as clients send it (docs/protocol.md, "Repeating")."""

from __future__ import annotations

from realtime.errors import FieldError, InvalidInput, quoted

__all__ = ["parse_key"]

KEY_CHARS = 200


def parse_key(came: object, field: str) -> str | None:
    """Return an idempotency key, None if none came.

    Raises:
        InvalidInput: it is no text of 1 to `KEY_CHARS` characters; the error names `field`.
    """
    if came is None:
        return None
    if not isinstance(came, str):
        raise InvalidInput(FieldError(field, f"expected a text of 1 to {KEY_CHARS} characters, got {quoted(came)}"))
    if not 1 <= len(came) <= KEY_CHARS:
        raise InvalidInput(FieldError(field, f"expected 1 to {KEY_CHARS} characters, got {len(came)}"))
    return came
