"""permessage-deflate (RFC 7692) without a compressor for each connection: all connections share compressed frames.

Both sides begin anew with each message (`server_no_context_takeover`, `client_no_context_takeover`). So a connection
keeps nothing between two messages, and the server writes one compressed frame to many connections.
"""

from __future__ import annotations

from collections.abc import Sequence

from websockets.exceptions import NegotiationError
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.typing import ExtensionName, ExtensionParameter

__all__ = ["DEFLATE", "DeflateFactory", "DeflatedFrame"]

_DATA = (Opcode.TEXT, Opcode.BINARY)
_LARGEST_WINDOW = "15"


class DeflatedFrame(Frame):
    """The first frame of a compressed message, still compressed: `websocket_frames` inflates whole messages."""


class SharedDeflate(PerMessageDeflate):
    """The extension, one object for all connections: it keeps no state."""

    name = ExtensionName("permessage-deflate")

    def __init__(self) -> None:
        """Begin each message anew in both directions."""
        super().__init__(True, True, 15, 15)

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """Mark the first frame of a compressed message; on other frames the bit stays, and `Frame.check` refuses it."""
        if frame.rsv1 and frame.opcode in _DATA:
            return DeflatedFrame(frame.opcode, frame.data, frame.fin, False, frame.rsv2, frame.rsv3)
        return frame

    def encode(self, frame: Frame) -> Frame:
        """Leave the frame: what is compressed comes as ready frames (`connections.write_frames`)."""
        return frame


#: The extension of every connection that has agreed to it.
DEFLATE = SharedDeflate()


class DeflateFactory(ServerPerMessageDeflateFactory):
    """Accepts offers of the extension (RFC 7692, 7.1)."""

    def __init__(self) -> None:
        """Ask for messages that begin anew, in both directions."""
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Return the parameters of the answer to one offer, and the extension.

        Raises:
            NegotiationError: the offer is declined. It has a parameter that is unknown, repeated or has a bad value, or
                it wants a smaller window than that of the shared frames.
        """
        answer, _ = super().process_request_params(params, accepted_extensions)
        if dict(answer).get("server_max_window_bits", _LARGEST_WINDOW) != _LARGEST_WINDOW:
            raise NegotiationError("the shared frames have the largest window")
        return answer, DEFLATE
