"""The request in each message on a board's raw WebSocket, and the messages that reset the idle timeout."""

from __future__ import annotations

import orjson
import pytest

from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard
from server.protocol.kanban_protocol import Execute, GetState, KanbanProtocol, Ping, Refusal, Request


def _ask(message: object) -> Request:
    content = message if isinstance(message, str | bytes) else orjson.dumps(message)
    return KanbanProtocol(0, 150).receive(content, 1)


def _command(name: str, **payload: object) -> Request:
    return _ask({"type": name, "payload": payload})


@pytest.mark.parametrize("message", [{"type": "get_state"}, {"type": "get_state", "payload": "anything"}])
def test_get_state_takes_any_payload(message: object) -> None:
    assert _ask(message) == GetState()


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {"ts": 1}}, {"id": 5}])
def test_ping_is_answered_and_pong_is_not(payload: dict[str, object]) -> None:
    assert _ask({"type": "ping", **payload}) == Ping()
    assert _ask({"type": "pong", **payload}) is None


def test_text_bytes_and_whitespace_are_all_json() -> None:
    for content in ('{"type":"ping"}', b'{"type":"ping"}', b' \r\n\t{"type":"ping"} ', b'{"type":"x","type":"ping"}'):
        assert _ask(content) == Ping()


def test_commands_are_parsed() -> None:
    created = _command("create_card", columnId="c", title=" T ", description=None, ticketType=" FIX ")
    assert isinstance(created, Execute)
    assert isinstance(created.command, CreateCard)
    assert (created.name, created.command.title, created.command.ticket_type) == ("create_card", "T", "fix")
    assert _command("move_card", cardId="a", toColumnId="c", toIndex=2) == Execute(
        "move_card", MoveCard(card_id="a", to_column_id="c", to_index=2)
    )
    assert _command("delete_card", cardId="a") == Execute("delete_card", DeleteCard(card_id="a"))


def test_update_distinguishes_cleared_from_absent() -> None:
    cleared, absent = _command("update_card", cardId="a", description=None), _command("update_card", cardId="a")
    assert isinstance(cleared, Execute)
    assert isinstance(absent, Execute)
    assert isinstance(cleared.command, UpdateCard)
    assert isinstance(absent.command, UpdateCard)
    assert (cleared.command.given(), absent.command.given()) == ({"description": None}, {})


def test_dependencies_are_no_matter_of_the_socket() -> None:
    updated = _command("update_card", cardId="a", dependsOn="nonsense")
    assert isinstance(updated, Execute)
    assert isinstance(updated.command, UpdateCard)
    assert updated.command.given() == {}


def test_client_cannot_choose_the_id_of_its_card() -> None:
    created = _command("create_card", columnId="c", title="T", card_id="mine", cardId="mine")
    assert isinstance(created, Execute)
    assert isinstance(created.command, CreateCard)
    assert created.command.card_id.startswith("card-")


@pytest.mark.parametrize(
    ("message", "name", "code"),
    [
        ("", None, "invalid_json"),
        ("\ufeff{}", None, "invalid_json"),
        (b"\xff", None, "invalid_json"),
        ("[]", None, "invalid_payload"),
        ("{}", None, "invalid_payload"),
        ('{"type":["ping"]}', None, "invalid_payload"),
        ('{"type":"Ping"}', "Ping", "unknown_command"),
        ('{"type":"move_card"}', "move_card", "invalid_payload"),
        ('{"type":"move_card","payload":null}', "move_card", "invalid_payload"),
    ],
)
def test_message_that_cannot_be_carried_out_is_refused(message: str | bytes, name: str | None, code: str) -> None:
    refusal = _ask(message)
    assert isinstance(refusal, Refusal)
    assert (refusal.name, refusal.code) == (name, code)
    assert refusal.message


def test_refusal_of_a_long_value_is_short() -> None:
    for message in ({"type": "x" * 10_000}, ["x" * 10_000], {"type": ["x" * 10_000]}):
        refusal = _ask(message)
        assert isinstance(refusal, Refusal)
        assert len(refusal.message) < 500


@pytest.mark.parametrize("message", ["{}", "1", "null", '{"type":"unknown"}', '{"type":"pong"}', b'"x"'])
def test_any_json_moves_the_deadline(message: str | bytes) -> None:
    protocol = KanbanProtocol(100, 150)
    assert protocol.deadline == 250
    protocol.receive(message, 120)
    assert protocol.deadline == 270


@pytest.mark.parametrize("message", ["", "{", b"\xff", "ping", "NaN"])
def test_invalid_json_leaves_the_deadline(message: str | bytes) -> None:
    protocol = KanbanProtocol(100, 150)
    protocol.receive(message, 120)
    assert protocol.deadline == 250


def test_deeply_nested_json_is_refused_like_any_other_that_is_no_object() -> None:
    refusal = KanbanProtocol(0, 150).receive(b"[" * 1000 + b"]" * 1000, 1)
    assert isinstance(refusal, Refusal)
    assert (refusal.name, refusal.code) == (None, "invalid_payload")
