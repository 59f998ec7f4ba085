"""The steps of the machine whose readers have tokens with different grants, and the events that each must get.

The streams of readers stand beside those of the operator in `WatchedBoard` and `Dashboards`, which compare them all.
This module opens and ends them as the grants say, and searches every byte that came for boards that the reader may not
see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from realtime.clock import iso
from tests.equivalence.callers import Caller
from tests.equivalence.granted.asking_as import ask_as
from tests.equivalence.granted.grants import grants_of
from tests.equivalence.granted.readers import EXITS, Reader, parting
from tests.equivalence.granted.subjects import Subject
from tests.equivalence.mapping import Json
from tests.equivalence.subscriber import Ended, Subscriber
from tests.equivalence.watched import WatchedBoard, order_of
from tests.equivalence.world import Happening, World
from tests.kit.access_tokens import Admin
from tests.kit.moving_clock import MovingClock
from tests.kit.token_relay import Line

__all__ = ["SUBJECTS", "GrantedWorld"]

SUBJECTS = 4
#: Events that may come before a goodbye.
_BESIDE = ("access", "Access", "dashboard_overview", "Overview")
#: The closes of WebSockets by the reasons of goodbyes.
_CLOSES = {
    "token_revoked": ((4401, "Token revoked"), (4403, "Token revoked")),
    "forbidden": ((4403, "Forbidden"),),
}


#: The cursor in a gap is the one that the client has sent, perhaps that of another board.
_OWN_CURSOR = re.compile(rb'"from":"[^"]*"')
#: So soon that the server of the test warns at once of the end.
_TOKEN_LIFE = timedelta(days=5)


class GrantedWorld(World):
    """The two boards and the dashboard, with readers of different grants."""

    def __init__(self, operator: Line, lines: Sequence[Line], admin: Admin, clock: MovingClock, name: str) -> None:
        """Make a world. The operator's own streams use one line, the readers the others."""
        operator.token = admin.secret
        super().__init__(operator.address, clock, name, Caller(admin.address, admin.secret), exits=())
        self._admin = admin
        self._free = list(lines)
        self._subjects: list[Subject] = []
        #: Id of each board that there was → texts that only its readers may get.
        self._needles: dict[str, list[bytes]] = {}
        self._connections = self._tokens = 0

    @property
    def board_ids(self) -> list[str]:
        """The ids of the boards."""
        return [board.model.id for board in self.boards]

    async def open(self) -> None:
        """Make the boards, and a reader on each exit."""
        await super().open()
        for number in range(SUBJECTS):
            grants = grants_of(number, self.board_ids)
            self._subjects.append(await Subject.make(self._admin, f"{self._name} {number}", grants, self._token_end()))
        for number, exit in enumerate(EXITS):
            await self.join(number % SUBJECTS, exit, number % 3)

    async def aclose(self) -> None:
        """Close everything without comparing."""
        for subject in self._subjects:
            for reader in subject.readers:
                await reader.aclose()
        await super().aclose()

    async def finish(self) -> None:
        """Delete the boards, and revoke the tokens."""
        await super().finish()
        for subject in self._subjects:
            await self._admin.revoke(subject.token)

    async def compare(self) -> None:
        """Compare all streams, and search what each reader has heard."""
        for subject in self._subjects:
            for reader in list(subject.readers):
                await self._forget_deleted(subject, reader)
        await super().compare()
        for board in self.boards:
            self._needles[board.model.id] = _texts_of(board)
        for subject in self._subjects:
            self._search(subject)

    async def join(self, who: int, exit: str, n: int) -> None:
        """Connect a reader to board `n`, or (2) to the dashboard; on a shared connection, to those behind it too."""
        subject = self._subjects[who]
        if not self._free:
            busiest = max(self._subjects, key=lambda one: len(one.readers))
            await self._close(busiest, busiest.readers[0])
        ids = [*self.board_ids, ""][n:]
        await self._connect(subject, exit, self._free.pop(), dict.fromkeys(ids))
        await self._align_dashboards()

    async def renew(self, who: int, shape: int, in_place: bool, happenings: Sequence[Happening]) -> None:
        """Give a subject another token with other grants: in place where that is possible, else by reconnecting.

        The earlier token is revoked. Then `happenings` come, which readers that come back must get from the log.
        """
        subject, earlier = self._subjects[who], self._subjects[who].token
        await subject.renew(self._admin, grants_of(shape, self.board_ids), self._token_end())
        refreshed = [reader for reader in subject.readers if in_place and reader.takes_tokens]
        for reader in refreshed:
            await self._refresh(subject, reader)
        assert await self._admin.revoke(earlier) == 204
        left = [reader for reader in subject.readers if reader not in refreshed]
        cursors: dict[str, str | None] = {board.model.id: board.cursor for board in self.boards} | {"": None}
        missed = [(reader, {one.board_id: cursors[one.board_id] for one in reader.streams}) for reader in left]
        for reader in left:
            for stream in list(reader.streams):
                await self._part(reader, stream, "token_revoked")
            reader.forget_bytes()
        await self._align_dashboards()
        await self.ingest(*happenings)
        for reader, after in missed:
            await self._close(subject, reader)
            await self._connect(subject, reader.exit, self._free.pop(), after)
        await self._align_dashboards()

    async def look_as(self, who: int) -> None:
        """Ask as a subject for everything of both boards, the projects and the agents."""
        subject = self._subjects[who]
        for n in (0, 1):
            heard = await ask_as(subject, self._admin, self.boards[n].model, self.boards[1 - n].model)
            self._check(subject, heard, "an answer")

    async def _connect(self, subject: Subject, exit: str, line: Line, after: dict[str, str | None]) -> None:
        """Connect a reader to boards or the dashboard, each with the cursor to come back with."""
        line.hear_anew()
        reader = EXITS[exit](exit, line)
        self._connections += 1
        reader.by_session = self._connections % 3 == 0
        await subject.identify(self._admin, reader)
        subject.readers.append(reader)
        await reader.connect()
        for id in list(after)[: reader.max_streams]:
            await self._open_stream(subject, reader, id, after[id])
        self._search(subject)
        if not reader.streams and reader.max_streams == 1:
            await self._close(subject, reader)

    async def _open_stream(self, subject: Subject, reader: Reader, id: str, after: str | None = None) -> None:
        stream = reader.stream(id)
        if not subject.grants.may(id):
            refused = await _refusal(stream)
            # A board that it may not read is answered as one that does not exist.
            expected = await _refusal(reader.stream(f"no-{id}")) if id else refused
            assert refused == expected, f"{reader.exit}: {refused} is not {expected}"
            assert id or "403" in refused or "FORBIDDEN" in refused, refused
            return
        reader.streams.append(stream)
        stream.token_end = subject.token_end
        if id:
            board = self._board(id)
            await board.begin(stream, self.now, after)
            board.subscribers.append(stream)
        else:
            await self._dashboards.begin(stream)
            self._dashboards.subscribers.append(stream)

    async def _refresh(self, subject: Subject, reader: Reader) -> None:
        """Send the new token of the subject; the streams end that its grants do not allow."""
        await subject.identify(self._admin, reader)  # for connections that begin later
        await reader.send_token(subject.token.secret)
        for stream in list(reader.streams):
            if not subject.grants.may(stream.board_id):
                await self._part(reader, stream, "forbidden")
        await reader.accepted(subject.token_end)
        for stream in reader.streams:
            stream.token_end = subject.token_end  # it has been told
        # All bytes until now were searched, or are the goodbye.
        reader.forget_bytes()
        if reader.max_streams > 1:
            known = [stream.board_id for stream in reader.streams]
            for id in (*self.board_ids, ""):
                if id not in known:
                    await self._open_stream(subject, reader, id)
        elif not reader.streams:
            await self._close(subject, reader)

    async def _part(self, reader: Reader, stream: Subscriber, reason: str) -> None:
        """Read the end of a stream, which must have this reason."""
        events, ended = await parting(stream)
        got = [_reason(event) for event in events if event.get("type", event.get("__typename")) not in _BESIDE]
        assert got == [reason], f"{stream.exit}: expected goodbye {reason}, got {events}, {ended!r}"
        closed = ended.args[0]
        if isinstance(closed, tuple):
            assert closed in _CLOSES[reason], f"{stream.exit}: {closed}"
        self._drop(reader, stream)
        await stream.aclose()

    async def _close(self, subject: Subject, reader: Reader) -> None:
        for stream in list(reader.streams):
            self._drop(reader, stream)
            await stream.aclose()
        await reader.aclose()
        subject.readers.remove(reader)
        self._free.append(reader.line)

    def _drop(self, reader: Reader, stream: Subscriber) -> None:
        reader.streams.remove(stream)
        among = self._board(stream.board_id).subscribers if stream.board_id else self._dashboards.subscribers
        among.remove(stream)

    async def _forget_deleted(self, subject: Subject, reader: Reader) -> None:
        """Forget the streams of a board that was deleted, which have ended."""
        if reader.streams:
            reader.streams[:] = [one for one in reader.streams if one.board_id in (*self.board_ids, "")]
            if not reader.streams and reader.max_streams == 1:
                await self._close(subject, reader)

    def _token_end(self) -> str | None:
        """Return the end of a new token; each second one has none. The clock never reaches it."""
        self._tokens += 1
        return iso(self._clock() + _TOKEN_LIFE) if self._tokens % 2 else None

    def _board(self, id: str) -> WatchedBoard:
        return next(board for board in self.boards if board.model.id == id)

    def _search(self, subject: Subject) -> None:
        longest = max((len(one) for texts in self._needles.values() for one in texts), default=0)
        for reader in subject.readers:
            heard = reader.new_bytes(longest)
            if not any(stream.board_id == "" for stream in reader.streams):  # the dashboard shows all boards
                self._check(subject, heard, reader.exit)

    def _check(self, subject: Subject, heard: bytes, exit: str) -> None:
        """Require that no byte is of a board that the subject may not see."""
        heard = _OWN_CURSOR.sub(b"", heard)
        for id, texts in self._needles.items():
            if not subject.grants.may_read(id):
                found = [text for text in texts if text in heard]
                assert not found, f"{exit}: {subject.grants} may not see {found} in {heard!r:.2000}"


def _texts_of(board: WatchedBoard) -> list[bytes]:
    """Return texts that only readers of a board may get: its id is a part of its texts and of the ids of attempts."""
    columns = [column.encode() for column in board.model.columns if column.startswith("col-")]
    # Epoch and tag of the cursors of the board.
    return [board.model.id.encode(), order_of(board.cursor)[0].encode(), *columns]


async def _refusal(stream: Subscriber) -> str:
    """Open a stream, which must be refused; return how."""
    try:
        await stream.open()
        event = await stream.event()
    except Ended as ended:
        return repr(ended)
    finally:
        await stream.aclose()
    raise AssertionError(f"{stream.exit}: expected a refusal, got {event}")


def _reason(event: Json) -> str:
    payload = event.get("payload") or event
    return str(payload.get("reason")).lower()
