"""Plays the steps of a scenario against a running server and compares the answers with the recorded ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from tests.kit.deadline import deadline
from tests.kit.matching import Matcher
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Address, exchange
from tests.kit.raw_socket import BINARY, CLOSE, PING, PONG, TEXT, frame_bytes
from tests.kit.recordings import Json
from tests.live.replay.answers import check_answer, check_problem
from tests.live.replay.departures import Ended, Instead, Layout, Refused
from tests.live.replay.state_rules import StateRules
from tests.live.replay.steps import Step
from tests.live.replay.subscribers import SocketSubscriber, Subscriber

__all__ = ["Player"]

_WAIT_UNITS = 20
_OPCODES = {"ping": PING, "pong": PONG, "binary": BINARY, "text": TEXT, "close": CLOSE}
_PADDED = re.compile(r"<(\d+) characters>")
_PING_MESSAGE = b'{"type":"ping"}'


class Player:
    """One run of one scenario. `subscribers` are already connected."""

    def __init__(
        self, address: Address, scenario: Json, subscribers: Mapping[str, Subscriber], instead: Instead | None
    ) -> None:
        """Make a player; `instead` is the departure of the scenario, if any."""
        self._address = address
        self._scenario = scenario
        self._open: dict[str, Subscriber] = dict(subscribers)
        self._instead = instead
        self._publisher = Publisher(address)
        self._matcher = Matcher()
        self._rules = {label: StateRules() for label in subscribers}
        self._is_quiet = False

    async def play(self, steps: list[Step]) -> None:
        """Play all steps, then check that nothing else came and that the cards are in the right places."""
        for step in steps:
            async with deadline(_WAIT_UNITS):
                await self._play(step)
        await self._see_silence()
        await self._see_rows()

    async def _play(self, step: Step) -> None:
        if step.subscriber and step.subscriber not in self._open:
            return  # it ended by a departure, so the rest of the recording does not apply
        if step.kind == "send":
            await self._send(self._socket(step.subscriber), step.data)
        elif step.kind == "call":
            await self._call(step.data)
        elif step.kind == "publish":
            await self._publisher.publish(*step.data)
        elif step.kind == "leave":
            await self._leave(step)
        elif step.kind == "receive_control":
            await self._receive_control(step)
        else:
            await self._receive(step.subscriber, step.data)

    def _socket(self, label: str) -> SocketSubscriber:
        subscriber = self._open[label]
        assert isinstance(subscriber, SocketSubscriber)
        return subscriber

    async def _send(self, subscriber: SocketSubscriber, frame: Json) -> None:
        if frame["opcode"] != "text":
            await subscriber.socket.send_frame(_OPCODES[frame["opcode"]], self._own_ids(bytes.fromhex(frame["hex"])))
            return
        data = _special_frames(frame["text"], self._scenario)
        if data is None:
            data = frame_bytes(TEXT, self._own_ids(frame["text"].encode()))
        # The head of a frame contains its length. The server refuses a frame that is too large after its head.
        await subscriber.socket.send_bytes(data if len(data) < 2 << 20 else data[: 1 << 10])

    def _own_ids(self, data: bytes) -> bytes:
        return self._matcher.actual(data.decode()).encode()

    async def _call(self, call: Json) -> None:
        request = call["request"]
        body = None if request["body"] is None else self._own_ids(request["body"].encode())
        answer = await exchange(self._address, request["method"], self._matcher.actual(request["path"]), body)
        if self._instead and self._instead.status:
            check_problem(answer, self._instead.status)
        elif self._instead and 1 in self._instead.numbers:
            assert answer.status == call["response"]["status"]
        else:
            check_answer(call["response"], answer, self._matcher)

    async def _leave(self, step: Step) -> None:
        frame = step.data or {"code": 1000, "reason": ""}
        if step.data:
            await self._see_silence()
        await self._open.pop(step.subscriber).leave(frame["code"], frame["reason"])

    async def _receive_control(self, step: Step) -> None:
        if step.data["opcode"] == "ping":
            return  # sent by the runtime
        frame = await self._socket(step.subscriber).frame()
        assert frame.opcode == _OPCODES[step.data["opcode"]], f"expected {step.data}, got {frame}"
        if frame.opcode == CLOSE:
            assert frame.close == (step.data["code"], step.data["reason"])
            del self._open[step.subscriber]
        else:
            assert frame.payload.hex() == step.data["hex"]

    async def _receive(self, label: str, expected: Any) -> None:
        if isinstance(expected, Ended):
            await self._socket(label).ended(expected.code)
            del self._open[label]
            return
        envelope = await self._open[label].envelope()
        where = f"{label}: {envelope['type']}"
        if isinstance(expected, Refused):
            _check_refusal(envelope, expected)
        elif isinstance(expected, Layout):
            assert envelope["type"] == "state", f"{where}: expected a state"
            assert self._letters(envelope["payload"]) == expected.columns
        elif envelope["type"] == expected["type"] == "dashboard_overview":
            _check_overview(expected["payload"], envelope["payload"])
        else:
            self._matcher.match(expected, envelope, where)
        if envelope["type"] == "state" and self._scenario["group"] != "attempt_lifecycle":
            self._rules[label].check(envelope["payload"])

    def _letters(self, state: Json) -> str:
        letters = {card: letter for letter, card in self._scenario["fixtures"]["cards"].items()}
        columns = [state["columns"][column] for column in state["columnOrder"]]
        held = {column["title"]: "".join(letters[card] for card in column["cardIds"]) for column in columns}
        return " ".join(f"{title}={cards}" for title, cards in held.items() if cards)

    async def _see_silence(self) -> None:
        """Publish a marker and check that it is the next event of each subscriber.

        Only overviews may come before it, because their number depends on the time between two changes.
        """
        if self._is_quiet:
            return
        self._is_quiet = True
        for subscriber in self._open.values():
            await subscriber.settle()
        await self._publisher.mark(self._scenario["name"])
        for label, subscriber in self._open.items():
            envelope = await subscriber.envelope()
            while envelope["type"] == "dashboard_overview":
                envelope = await subscriber.envelope()
            assert envelope["type"] == "agent_registered", f"{label}: expected silence, got {envelope}"
            assert envelope["payload"]["label"] == self._scenario["name"]

    async def _see_rows(self) -> None:
        """Compare the cards of the board with the rows of the recording, unless a departure changes them."""
        rows = self._scenario.get("card_rows_after")
        if self._instead or not rows:
            return
        board_id = self._scenario["fixtures"]["boardId"]
        answer = await exchange(self._address, "GET", f"/api/v1/boards/{board_id}")
        assert answer.status == 200, answer
        state = orjson.loads(answer.body)["state"]
        known = self._scenario["fixtures"]["cards"]
        places = {card: (c["title"], i) for c in state["columns"].values() for i, card in enumerate(c["cardIds"])}
        assert len(places) == len(rows)
        for row in rows:
            card_id = self._matcher.actual(known.get(row["card"], row["card"]))
            assert _row(row["card"], state["cards"][card_id], places[card_id]) == row


def _row(name: str, card: Json, place: tuple[str, int]) -> Json:
    return {
        "card": name,
        "title": card["title"],
        "column": place[0],
        "position": place[1],
        "description": card.get("description"),
        "ticket_key": card["ticketKey"],
        "ticket_type": card["ticketType"],
        "is_enhanced": int(card["isEnhanced"]),
        "disable_auto_close_on_pr_merge": int(card["disableAutoCloseOnPRMerge"]),
    }


def _check_refusal(envelope: Json, expected: Refused) -> None:
    assert list(envelope) == ["type", "payload"], envelope
    assert envelope["type"] == "error", f"expected {expected}, got {envelope}"
    payload = envelope["payload"]
    assert list(payload) == ["command", "code", "message"], payload
    assert (payload["code"], payload["command"]) == (expected.code, expected.command), envelope
    assert payload["message"]


def _check_overview(recorded: Json, actual: Json) -> None:
    """Assert the same keys in the same order. The tests of the dashboard compare figures and lists."""
    assert list(actual) == list(recorded), f"expected {list(recorded)}, got {list(actual)}"


def _special_frames(text: str, scenario: Json) -> bytes | None:
    """Return the bytes for a description in the recording, None for an ordinary text."""
    if text == '{"type":"ping"} in two fragments with a protocol ping between them':
        first = frame_bytes(TEXT, _PING_MESSAGE[:7], fin=False)
        return first + frame_bytes(PING, b"mid") + frame_bytes(0, _PING_MESSAGE[7:])
    if text == '{"type":"ping"} (unmasked)':
        return frame_bytes(TEXT, _PING_MESSAGE, masked=False)
    if padded := _PADDED.fullmatch(text):
        return frame_bytes(TEXT, _PING_MESSAGE.ljust(int(padded[1])))
    if text.startswith("5 create_card frames"):
        column = scenario["fixtures"]["columns"]["Backlog"]
        payloads = [{"columnId": column, "title": f"Burst {number}"} for number in range(5)]
        messages = [orjson.dumps({"type": "create_card", "payload": payload}) for payload in payloads]
        return b"".join(frame_bytes(TEXT, message) for message in messages)
    return None
