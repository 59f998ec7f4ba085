"""Reads the frames of a WebSocket, within limits; a violation of the protocol ends the connection.

Everything that a client sends has a limit. One iteration of the event loop parses a few hundred frames at most, and a
message has at most `MESSAGE_FRAMES` frames. The connection reads nothing while messages wait for the application, or
while the client does not take the bytes that wait for it (backpressure).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, assert_never

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State

from realtime.endings import BAD_TEXT, MESSAGE_TOO_BIG, CloseFrame
from realtime.fanout.light_event import LightEvent
from server.connection.compressed_frames import DeflatedFrame, DeflateFactory
from server.connection.inbox import Inbox
from server.protocol.deflate import BadDeflate, TooLong, inflated

__all__ = ["FrameReader"]

log = logging.getLogger(__name__)

#: Bytes that the parser gets at once. The smallest frame of a client has 6 bytes, so a piece has at most 85 frames.
#: Parsing them takes 1 ms; carrying out their requests takes longer.
PIECE_BYTES = 512
#: Frames after which the rest waits for the next iteration of the event loop.
TURN_FRAMES = 64
#: Most frames of one message; parsing each of them costs as much as a whole message.
MESSAGE_FRAMES = 1024
#: Bytes that are read while writing is paused. Not zero, because the client may answer pings meanwhile.
UNTAKEN_BYTES = 64 * 1024


class FrameReader(WebSocketsSansIOProtocol):
    """The reading side of a connection."""

    # In a dictionary these attributes would take 1.5 KiB. Other attributes that uvicorn may set still go into one.
    __slots__ = (
        "_early",
        "_heard_bytes",
        "_inbox",
        "_is_broken",
        "_is_deflated",
        "_rest",
        "curr_msg_data_type",
        "frames",
        "queue",
        "read_paused",
        "writable",
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make a connection as uvicorn does, with lighter objects."""
        super().__init__(*arguments, **named)
        #: Bytes that came before our answer to the handshake. They are parsed later, because the answer goes first.
        self._early = b""
        #: Bytes that wait to be parsed. While there are some, the connection reads nothing.
        self._rest = b""
        #: Number of bytes parsed since writing was paused.
        self._heard_bytes = 0
        #: Whether the client violated the protocol and got a close frame for it.
        self._is_broken = False
        #: Whether the message that is being received is compressed.
        self._is_deflated = False
        # The factory of uvicorn would compress each message for each connection anew.
        self.conn.available_extensions = [DeflateFactory()] if self.config.ws_per_message_deflate else []
        self.queue = self._inbox = Inbox()  # type: ignore[assignment]  # has the methods of Queue that are used
        self.writable = LightEvent()  # type: ignore[assignment]  # has the methods of Event
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Parse `data`, or keep it for later."""
        if self.conn.eof_sent:
            return  # the connection has ended: read and drop the bytes, so that the client can read our close frame
        if self._rest or (self.handshake_initiated and not self.handshake_complete):
            # Reading is paused or will be; the transport may have read these bytes before.
            self._keep(data)
            return
        self._parse(data)
        if self.handshake_complete:
            self._read_if_wanted()

    def _keep(self, data: bytes) -> None:
        if self.handshake_complete:
            self._rest += data
        else:
            self._early += data
        self._pause_reading()

    def _parse(self, data: bytes) -> None:
        """Parse as much of `data` as one loop iteration may; the rest waits."""
        frames = place = 0
        while place < len(data) and frames < TURN_FRAMES and not self._is_full:
            frames += self._parse_piece(data[place : place + PIECE_BYTES])
            place += PIECE_BYTES
            if self.conn.eof_sent:
                return
        self._rest = data[place:]

    def _parse_piece(self, piece: bytes) -> int:
        """Parse a piece and handle its frames; return the number of frames."""
        if not self.writable.is_set():
            self._heard_bytes += len(piece)
        self.conn.receive_data(piece)
        # Handle the valid frames first: they came before the fault.
        count = len(self.conn.events)
        self.handle_events()
        if self.conn.parser_exc is not None and not self.close_sent:
            self._end_broken()
        return count

    @property
    def _is_full(self) -> bool:
        """Whether further bytes would have to wait here."""
        if self.close_sent:
            return False  # all messages are dropped; the connection only waits for the answer to its close frame
        return not self._inbox.empty() or self._heard_bytes > UNTAKEN_BYTES

    def _read_if_wanted(self) -> None:
        """Resume or pause reading; bytes that wait to be parsed go first."""
        if self._rest and not self._is_full:
            asyncio.get_running_loop().call_soon(self._parse_rest)
        if self._rest or self._is_full:
            self._pause_reading()
        elif self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _parse_rest(self) -> None:
        if self._rest and not self._is_full and not self.transport.is_closing():
            rest, self._rest = self._rest, b""
            self._parse(rest)
            self._read_if_wanted()

    def _pause_reading(self) -> None:
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    async def receive(self) -> Any:
        """Return the next message as uvicorn does, with one coroutine frame instead of four."""
        while self._inbox.empty():
            await self._inbox.filled()
        message = self._inbox.get_nowait()
        if self.read_paused and self.handshake_complete:
            self._read_if_wanted()
        return message

    def resume_writing(self) -> None:
        """Resume writing and reading, because the client has taken the waiting bytes."""
        super().resume_writing()
        self._heard_bytes = 0
        if self.read_paused and self.handshake_complete:
            self._read_if_wanted()

    def handle_events(self) -> None:
        """Handle the parsed frames, until one of them ends the connection."""
        for event in self.conn.events_received():
            if not isinstance(event, Frame):
                self.handle_connect(event)  # type: ignore[arg-type]  # a server gets nothing else
            elif not self._is_broken:
                self._handle_frame(event)

    def _handle_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self.curr_msg_data_type = "text" if frame.opcode is Opcode.TEXT else "bytes"
                self._is_deflated = isinstance(frame, DeflatedFrame)
                self.frames = []
                self._handle_part(frame)
            case Opcode.CONT:
                self._handle_part(frame)
            case Opcode.PING:
                self.handle_ping()
            case Opcode.PONG:
                self.handle_pong(frame)
            case Opcode.CLOSE:
                self.handle_close(frame)
            case _:
                assert_never(frame.opcode)

    def _handle_part(self, frame: Frame) -> None:
        self.frames.append(frame.data)  # type: ignore[arg-type]  # bytes or a bytearray
        frame.data = b""  # free the bytes: the parser keeps the frame until the next one comes
        if frame.fin:
            self.send_receive_event_to_app()
        elif len(self.frames) >= MESSAGE_FRAMES:
            self.frames = []
            self._end(MESSAGE_TOO_BIG.frame(f"expected a message of at most {MESSAGE_FRAMES} frames"))

    def send_receive_event_to_app(self) -> None:
        """Queue a message for the application; text that is no UTF-8 ends the connection (RFC 6455, 8.1)."""
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self._is_deflated:
            try:
                data = inflated(data, self.config.ws_max_size)
            except TooLong as fault:
                self._end(MESSAGE_TOO_BIG.frame(str(fault)))
                return
            except BadDeflate as fault:
                self._end(BAD_TEXT.frame(str(fault)))
                return
        if self.curr_msg_data_type == "bytes":
            self._inbox.put_nowait({"type": "websocket.receive", "bytes": data})
            return
        try:
            text = data.decode()
        except UnicodeDecodeError as fault:
            self._end(BAD_TEXT.frame(f"{fault.reason} at position {fault.start}"))
        else:
            self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    def handle_ping(self) -> None:
        """Send the pongs that the parser has made for the pings of the piece."""
        if self.close_sent:
            self.conn.writes = []
        elif self.conn.state is State.OPEN and (output := b"".join(self.conn.data_to_send())):
            self.transport.write(output)

    def handle_parser_exception(self) -> None:
        """Our code does not call this; see `_end_broken`."""
        self._end_broken()

    def _end(self, frame: CloseFrame) -> None:
        """Fail the connection because of a client's message (RFC 6455, 7.1.7)."""
        if self.close_sent:
            return
        if self.conn.state is State.OPEN:
            self.conn.fail(*frame)
        else:
            # The parser has found a fault or a close frame later in this piece. This fault came first, so report it.
            self.conn.writes = []
            self.conn.close_sent = Close(*frame)
            self.conn.send_frame(Frame(Opcode.CLOSE, self.conn.close_sent.serialize()))
        self._end_broken()

    def _end_broken(self) -> None:
        """Send the reason in a close frame, once, and let the client read it before the connection is closed."""
        close = self.conn.close_sent
        if close is None:
            self.transport.abort()  # the handshake is not complete, so there can be no close frame
            return
        log.info("a client broke the WebSocket protocol: %d %s", close.code, close.reason)
        self._rest = b""
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self._is_broken = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # Read and drop further bytes of the client: if a connection is closed with unread bytes, the system resets it,
        # and the client cannot read the reason.
        self._read_if_wanted()
        self.close_later()

    def close_later(self) -> None:
        """Make sure that a closing connection ends in time."""
        raise NotImplementedError
