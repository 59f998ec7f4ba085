"""`boardcast tail`: prints the envelopes of a board as they come, and resumes by its cursor after a lost connection."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidStatus, InvalidURI
from websockets.sync.client import connect

from server.command_line.asking import Remote, remote
from server.command_line.failing import CommandFailed, escaped, notice, say

__all__ = ["Follow", "tail"]

OPEN_SECONDS = 10.0
PING_SECONDS = 20.0
#: A state may be as large as `--max-board-bytes`, with the envelope around it.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
#: A connection that lasted so long was a good one: the pauses begin anew after it.
GOOD_SECONDS = 10.0
#: Most seconds that a server can ask for.
LONGEST_HINT_SECONDS = 600.0
#: Close codes after which another try would end the same way (docs/protocol.md, "How a stream ends").
FINAL_CODES = frozenset({1002, 1007, 1008, 1009, 4401, 4403})
PASSING_STATUSES = frozenset({408, 425, 429})
_FINAL_GOODBYES = frozenset({"board_deleted", "forbidden"})


@dataclass
class Follow:
    """What is followed, and how far it was printed."""

    board_id: str
    delivery: str = "state"
    after: str | None = None
    is_pretty: bool = False
    #: Envelopes to print; None = until the stream ends.
    limit: int | None = None
    #: The `hello` of the first connection, and later ones, are not counted.
    printed: int = 0
    failures: int = field(default=0, repr=False)

    @property
    def is_done(self) -> bool:
        """Whether all envelopes that are wanted have been printed."""
        return self.limit is not None and self.printed >= self.limit


def tail(follow: Follow, url: str) -> None:
    """Print envelopes until the board is deleted, the limit is reached, or the reader interrupts.

    The first connection must succeed. Later ones are tried again, with pauses that grow.

    Raises:
        CommandFailed: the server cannot be reached at first, or refuses for good.
    """
    server = remote(url)
    has_been_open = False
    while not follow.is_done:
        hint, began = 0.0, time.monotonic()
        try:
            with _open(server, follow) as socket:
                has_been_open = True
                ending = _read(socket, follow)
            if ending is None:
                return
            hint = ending
        except ConnectionClosed as closed:
            code, reason = _close_of(closed)
            if code in FINAL_CODES:
                by = "the server ended the stream" if closed.rcvd else "the server broke the protocol"
                raise CommandFailed(f"{by}: {reason or code}") from None
            lost = f"{reason or 'the connection broke'}"
        except InvalidStatus as refused:
            _check_passing(url, refused, has_been_open=has_been_open)
            lost = f"{url} answered {refused.response.status_code}"
        except (OSError, InvalidHandshake, EOFError, TimeoutError) as error:
            if not has_been_open:
                raise CommandFailed(f"cannot reach {url}: {_short(error)}") from None
            lost = _short(error)
        else:
            lost = "the server ended the stream"
        if time.monotonic() - began >= GOOD_SECONDS:
            follow.failures = 0
        if not follow.is_done:
            _pause(follow, hint, lost)


def _open(server: Remote, follow: Follow) -> Any:
    query = {"boardId": follow.board_id, "delivery": follow.delivery}
    if follow.after is not None:
        query["after"] = follow.after
    address = f"ws{server.base.removeprefix('http')}/api/v1/ws?{urlencode(query)}"
    try:
        return connect(
            address,
            additional_headers=dict(server.headers),
            user_agent_header="boardcast",
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            max_size=MAX_MESSAGE_BYTES,
            compression=None,
        )
    except (InvalidURI, InvalidProxy, ImportError, ValueError) as error:
        # The last three come of a proxy that the environment names.
        raise CommandFailed(f"cannot reach {server.url}: {_short(error)}") from None


def _read(socket: Any, follow: Follow) -> float | None:
    """Print what comes; return the seconds to wait before the next connection, None if there shall be none."""
    next_ping = time.monotonic() + PING_SECONDS
    while not follow.is_done:
        try:
            text = socket.recv(timeout=max(0.0, next_ping - time.monotonic()))
        except TimeoutError:
            # A board's WebSocket wants a JSON message now and then (docs/protocol.md, "Heartbeats").
            socket.send('{"type":"ping"}')
            next_ping = time.monotonic() + PING_SECONDS
            continue
        envelope = _parsed(text)
        type_, payload = str(envelope.get("type")), envelope.get("payload") or {}
        if type_ == "pong":
            continue
        _print(follow, text, envelope)
        if type_ == "goodbye" and isinstance(payload, dict):
            if (reason := str(payload.get("reason"))) in _FINAL_GOODBYES:
                notice(f"the stream has ended: {reason}")
                return None
            wait = payload.get("reconnectAfterMs")
            return min(max(0.0, wait / 1000), LONGEST_HINT_SECONDS) if isinstance(wait, int | float) else 0.0
    return None


def _parsed(text: str | bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise CommandFailed("expected envelopes as JSON objects, got something else; is it a Boardcast server?")
    return found


def _print(follow: Follow, text: str, envelope: Mapping[str, Any]) -> None:
    if isinstance(envelope.get("cursor"), str):
        follow.after = envelope["cursor"]
    if envelope.get("type") == "hello" and follow.printed:
        return  # of a later connection
    if follow.is_pretty:
        payload = orjson.dumps(envelope.get("payload", {})).decode()
        say(f"{time.strftime('%H:%M:%S')}  {escaped(str(envelope.get('type'))):<20} {escaped(payload)}")
    else:
        say(text)
    follow.printed += 1


def _check_passing(url: str, refused: InvalidStatus, *, has_been_open: bool) -> None:
    """Return if another try may succeed.

    Raises:
        CommandFailed: it would be refused again, or the very first connection was refused.
    """
    status = refused.response.status_code
    if not has_been_open or (400 <= status < 500 and status not in PASSING_STATUSES):
        raise CommandFailed(f"{url} answered {status}: {_reason(refused)}") from None


def _reason(refused: InvalidStatus) -> str:
    try:
        return str(orjson.loads(refused.response.body or b"")["detail"])
    except (ValueError, KeyError, TypeError):
        return refused.response.reason_phrase


def _close_of(closed: ConnectionClosed) -> tuple[int | None, str]:
    frame = closed.rcvd or closed.sent  # of what the server sent, the library has refused something
    return (None, "") if frame is None else (frame.code, frame.reason)


def _short(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _pause(follow: Follow, hint_seconds: float, why: str) -> None:
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(follow.failures, 20))
    follow.failures += 1
    seconds = hint_seconds + random.uniform(0, longest)
    notice(f"{why}; trying again in {seconds:.1f} s")
    sys.stdout.flush()
    time.sleep(seconds)
