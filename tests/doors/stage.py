"""The server of the table, with two boards and every token. The clock moves once, so that some tokens have expired."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from realtime.clock import iso
from realtime.kanban.ids import BoardId
from tests.doors.giving import Given, give
from tests.doors.rows import Way
from tests.doors.tokens import BOARD, OTHER, TOKENS, Source, Standing, Token
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.moving_clock import MovingClock
from tests.kit.publishing import event
from tests.kit.sessions import sign_in

__all__ = ["SECRET_WORD", "Stage", "board_events", "open_stage"]

#: Stands in every text of `BOARD`, and nowhere else.
SECRET_WORD = "Quartz"
_SECONDS = 60
_AT = "2025-01-02T03:04:05.678Z"


def board_events(word: str, text: str) -> list[dict[str, Any]]:
    """Return the events that make a board, whose ids end with `word`, with two cards and a running attempt."""
    board, todo, doing, done = (f"{name}-{word}" for name in ("board", "column", "doing", "done"))
    cards = {id: _card(id, text) for id in (f"card-{word}", f"free-{word}")}
    columns = {
        todo: {"id": todo, "title": "Backlog", "cardIds": list(cards)},
        doing: {"id": doing, "title": "In Progress", "cardIds": []},
        done: {"id": done, "title": "Done", "cardIds": []},
    }
    attempt = {"attemptId": f"attempt-{word}", "boardId": board}
    started = {**attempt, "cardId": f"card-{word}", "agent": "CODEX", "branchName": text}
    item = {"type": "message", "timestamp": _AT, "role": "user", "text": text, "format": "markdown"}
    return [
        event("project.created", {"projectId": board, "name": f"{text} Board", "repositoryPath": f"/{text}"}),
        event(
            "board.state.changed",
            {"boardId": board, "state": {"columns": columns, "columnOrder": list(columns), "cards": cards}},
        ),
        event("attempt.started", started),
        event("attempt.log.appended", {**attempt, "level": "info", "message": text}),
        event("attempt.conversation.appended", {**attempt, "item": item}),
    ]


def _card(id: str, text: str) -> dict[str, Any]:
    return {"id": id, "ticketKey": f"Q-{id}", "title": f"{text} card", "createdAt": _AT, "updatedAt": _AT}


@dataclass
class Stage:
    """The running server, and the texts of the tokens by the names of their columns."""

    live: LiveServer
    texts: dict[str, str] = field(default_factory=dict)
    #: The cookies of their sessions, by the same names.
    cookies: dict[str, str] = field(default_factory=dict)
    #: A token that an operation may revoke.
    spare: str = ""

    @property
    def admin(self) -> Admin:
        """The operator."""
        return Admin(self.live.address)

    async def renew(self) -> None:
        """Make the boards as they were in the beginning."""
        gone = await self.live.node.store.project(BoardId(BOARD)) is None
        deleted = [] if gone else [event("project.deleted", {"projectId": BOARD})]
        await self._publish(*deleted, *board_events("alpha", SECRET_WORD))
        made = await self._post("/api/v1/tokens", {"name": "Spare Quartz", "boards": [OTHER], "can": ["read"]})
        self.spare = made["id"]

    async def remove(self) -> None:
        """Delete the board that requests name."""
        await self._publish(event("project.deleted", {"projectId": BOARD}))

    def given(self, target: str, token: Token, way: Way, text: str | None = None) -> Given:
        """Return the parts of a request with a token, or with the cookie of its session; `text` replaces either."""
        text = (self.cookies if way.by_session else self.texts)[token.name] if text is None else text
        return give(target, text, way, self.cookies["static secret"])

    async def sign_in(self, token: Token) -> str:
        """Return the cookie of another session of a token, or the one that has ended."""
        is_valid = token.standing is Standing.VALID
        return await sign_in(self.live.address, self.texts[token.name]) if is_valid else self.cookies[token.name]

    @property
    def events_stored(self) -> int:
        """The number of events that the server has stored."""
        return self.live.node.counters.events_stored

    async def make_tokens(self, clock: MovingClock) -> None:
        """Make every token; afterwards those have expired that should."""
        soon = clock() + timedelta(seconds=_SECONDS)
        made = {token.name: await self._make(token, soon) for token in TOKENS if token.source is Source.ADMIN}
        self.texts = {name: one["token"] for name, one in made.items()} | {"static secret": ADMIN}
        for token in TOKENS:
            if token.source is Source.IDENTITY_PROVIDER:
                self.texts[token.name] = _signed(token, soon)
        self.cookies = {name: await sign_in(self.live.address, text) for name, text in self.texts.items()}
        self.texts |= {"none": "", "wrong": "boardcast_" + "x" * 43}
        self.cookies |= {"none": "", "wrong": "boardcast_session=" + "x" * 43}
        clock.go_on(2 * _SECONDS * 1000)
        await self.admin.ask("DELETE", target=f"/api/v1/tokens/{made['revoked']['id']}")

    async def begin(self) -> None:
        """Make the boards and an agent."""
        agent = event("agent.registered", {"agent": "CODEX", "label": SECRET_WORD})
        profile = {"profileId": "profile", "agent": "CODEX", "kind": "created", "label": SECRET_WORD}
        await self._publish(*board_events("other", "Other"), agent, event("agent.profile.changed", profile))
        await self.renew()

    async def _make(self, token: Token, soon: datetime) -> dict[str, Any]:
        body = {"name": token.name, "boards": list(token.boards), "can": list(token.can)}
        ends = {"expiresAt": iso(soon)} if token.name == "expired" else {}
        return await self._post("/api/v1/tokens", {**body, **ends})

    async def _publish(self, *events: dict[str, Any]) -> None:
        await self._post("/api/v1/events", list(events))

    async def _post(self, target: str, body: object) -> dict[str, Any]:
        answer = await self.admin.ask("POST", body, target)
        assert answer.status in (201, 202), answer
        made: dict[str, Any] = orjson.loads(answer.body)
        return made


def _signed(token: Token, soon: datetime) -> str:
    claims = claims_of(token.boards, token.can, sub=token.name)
    if not token.can:
        del claims["boardcast"]
    if token.standing is Standing.INVALID:
        claims["exp"] = int(soon.timestamp())
    return signed(claims)


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Run the server until the block ends."""
    clock = MovingClock(datetime.now(UTC))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.wiring.system_clock", clock)
        unlimited = {
            "max_failed_authentications": 0,
            "max_sign_ins": 0,
            "max_access_tokens": 100_000,
            "max_sessions_per_client": 5_000,
        }
        async with live_server(tokens=ADMIN, jwt_key=SECRET, **unlimited) as live:
            stage = Stage(live)
            await stage.make_tokens(clock)
            await stage.begin()
            yield stage
