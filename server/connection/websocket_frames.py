"""What comes in on a WebSocket: frames, parsed in pieces, within bounds; what breaks the protocol ends it, once.

All that a client sends has a bound. A turn of the event loop parses some hundreds of frames at most; a message has so
many frames at most; while messages wait for the application, or the client takes none of what we have for it, nothing
more is read.
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
from server.connection.inbox import Inbox

__all__ = ["FrameReader"]

log = logging.getLogger(__name__)

#: Bytes that the parser gets at once. The smallest frame of a client has 6, so these are 85 frames, 1 ms; what they
#: ask for costs more.
PIECE_BYTES = 512
#: Frames after which the rest waits for another turn of the event loop.
TURN_FRAMES = 64
#: Most frames of one message; each costs as much as a message of its own.
MESSAGE_FRAMES = 1024
#: Bytes that are read while the client has to take what waits for it. Not none: it may answer pings meanwhile.
UNTAKEN_BYTES = 64 * 1024


class FrameReader(WebSocketsSansIOProtocol):
    """The reading side of a connection."""

    # As many attributes in a dictionary are 1.5 KiB. Those that it may have besides find one.
    __slots__ = (
        "_early",
        "_heard_bytes",
        "_inbox",
        "_is_broken",
        "_rest",
        "curr_msg_data_type",
        "frames",
        "queue",
        "read_paused",
        "writable",
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make a connection as uvicorn does, with less that is made in advance."""
        super().__init__(*arguments, **named)
        #: What comes before our answer to the handshake: nothing may be sent in front of that.
        self._early = b""
        #: What came and waits to be parsed. While there is some, nothing is read.
        self._rest = b""
        #: What was parsed since the client takes nothing.
        self._heard_bytes = 0
        #: Whether the client broke the protocol, and was told.
        self._is_broken = False
        self.queue = self._inbox = Inbox()  # type: ignore[assignment]  # what is used of a Queue
        self.writable = LightEvent()  # type: ignore[assignment]  # an Event but for its name
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        if self.conn.eof_sent:
            return  # it is over: what comes is read, so that the client can read our last words, and dropped
        if self._rest or (self.handshake_initiated and not self.handshake_complete):
            # Reading is paused, or about to be; a transport may have had something already.
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
        """Parse `data` up to what may be done in one turn; the rest waits."""
        frames = place = 0
        while place < len(data) and frames < TURN_FRAMES and not self._is_full:
            frames += self._parse_piece(data[place : place + PIECE_BYTES])
            place += PIECE_BYTES
            if self.conn.eof_sent:
                return
        self._rest = data[place:]

    def _parse_piece(self, piece: bytes) -> int:
        """Parse some bytes and do what is in them; return how many frames that were."""
        if not self.writable.is_set():
            self._heard_bytes += len(piece)
        self.conn.receive_data(piece)
        # First what was right: it came before what was wrong, whatever segments the network made of them.
        count = len(self.conn.events)
        self.handle_events()
        if self.conn.parser_exc is not None and not self.close_sent:
            self._end_broken()
        return count

    @property
    def _is_full(self) -> bool:
        """Whether what more is read would have to wait here."""
        if self.close_sent:
            return False  # nobody gets any of it; what is looked for is the answer to our close frame
        return not self._inbox.empty() or self._heard_bytes > UNTAKEN_BYTES

    def _read_if_wanted(self) -> None:
        """Have the transport read, or not; what waits to be parsed has its turn first."""
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
        """Return the next message, as uvicorn does, in one frame instead of four."""
        while self._inbox.empty():
            await self._inbox.filled()
        message = self._inbox.get_nowait()
        if self.read_paused and self.handshake_complete:
            self._read_if_wanted()
        return message

    def resume_writing(self) -> None:
        """Send again, and read again: the client has taken what waited for it."""
        super().resume_writing()
        self._heard_bytes = 0
        if self.read_paused and self.handshake_complete:
            self._read_if_wanted()

    def handle_events(self) -> None:
        """Do what is in the frames that were parsed, until one of them ends it."""
        for event in self.conn.events_received():
            if not isinstance(event, Frame):
                self.handle_connect(event)  # type: ignore[arg-type]  # a server gets nothing else
            elif not self._is_broken:
                self._handle_frame(event)

    def _handle_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self.curr_msg_data_type = "text" if frame.opcode is Opcode.TEXT else "bytes"
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
        frame.data = b""  # the parser holds on to the frame until the next one comes
        if frame.fin:
            self.send_receive_event_to_app()
        elif len(self.frames) >= MESSAGE_FRAMES:
            self.frames = []
            self._end(MESSAGE_TOO_BIG.frame(f"expected a message of at most {MESSAGE_FRAMES} frames"))

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; bytes that are no UTF-8 end the connection (RFC 6455, 8.1)."""
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
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
        """Send the pongs that the parser has made for all pings of the piece."""
        if self.close_sent:
            self.conn.writes = []
        elif self.conn.state is State.OPEN and (output := b"".join(self.conn.data_to_send())):
            self.transport.write(output)

    def handle_parser_exception(self) -> None:
        """Not called by ours; see `_end_broken`."""
        self._end_broken()

    def _end(self, frame: CloseFrame) -> None:
        """Fail the connection for what a client has sent (RFC 6455, 7.1.7)."""
        if self.close_sent:
            return
        if self.conn.state is State.OPEN:
            self.conn.fail(*frame)
        else:
            # In the same piece, behind this, the parser has met a fault or a close frame; this came first.
            self.conn.writes = []
            self.conn.close_sent = Close(*frame)
            self.conn.send_frame(Frame(Opcode.CLOSE, self.conn.close_sent.serialize()))
        self._end_broken()

    def _end_broken(self) -> None:
        """Say why in a close frame, once, and let the client read it before the connection goes."""
        close = self.conn.close_sent
        if close is None:
            self.transport.abort()  # not even a handshake
            return
        log.info("a client broke the WebSocket protocol: %d %s", close.code, close.reason)
        self._rest = b""
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self._is_broken = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # The client's side is read on and dropped: what nobody reads when a connection is closed makes the system
        # reset it, and the client never reads why.
        self._read_if_wanted()
        self.close_later()

    def close_later(self) -> None:
        """See to it that a connection that is about to end does."""
        raise NotImplementedError
