"""Inputs are equal for the same seed and number, come from every entry, and have the intended parts."""

from __future__ import annotations

import random
from collections import Counter

import orjson
import pytest

from tests.fuzz.corpus import calls, commands, events, operations
from tests.fuzz.frames import frame, message
from tests.fuzz.heads import chunked, owed_answers
from tests.fuzz.inputs import Access, Facts, Say
from tests.fuzz.making import NAMES, make_input
from tests.fuzz.mutate import as_json, bytes_near, document_near, json_near
from tests.fuzz.sequences import SEQUENCES
from tests.fuzz.tokens import Tokens
from tests.kit.raw_socket import TEXT
from tests.live.boards import BOARD

_TOKENS = Tokens(tuple(f"token-{n}-of-the-test" for n in range(9)), ("boardcast_session=cookie-of-the-test",))
_FACTS = Facts("token-of-the-test", "epoch-0-1-1", _TOKENS)


def test_seed_and_number_say_all_of_an_input() -> None:
    first = [make_input(3, number, _FACTS) for number in range(300)]
    again = [make_input(3, number, _FACTS) for number in reversed(range(300))]
    assert first == again[::-1]
    assert first != [make_input(4, number, _FACTS) for number in range(300)]


def test_every_entry_is_among_few_inputs() -> None:
    entries = Counter(make_input(1, number, _FACTS).entry for number in range(1_500))
    assert set(entries) == set(NAMES)


def test_every_token_stands_in_every_place_of_some_input() -> None:
    sent = b"".join(make_input(2, number, _FACTS).sent for number in range(3_000))
    texts = [text.encode() for text in (_FACTS.token or "", *_TOKENS.texts)]
    places = (b"Authorization: Bearer %b\r\n", b"access_token=%b", b"bearer.%b\r\n")
    assert [place % text for place in places for text in texts if place % text not in sent] == []
    assert _TOKENS.cookies[0].encode() in sent


def test_corpus_is_of_recordings_and_suite() -> None:
    assert len(calls()) > 100
    assert any(call.target == f"/api/v1/boards/{BOARD}/cards" for call in calls())
    assert {"attempt.started", "board.state.changed"} <= {
        event["name"] for event in events() if isinstance(event, dict) and "name" in event
    }
    assert any(b'"move_card"' in command and b'"free"' in command for command in commands())
    assert sum(operation.subscribes for operation in operations()) >= 5


@pytest.mark.parametrize(
    ("data", "owed"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", 0),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 1),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1234", 0),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345", 1),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12", 0),
        (b"", 0),
    ],
)
def test_answer_is_owed_for_what_is_whole_or_wrong(data: bytes, owed: int) -> None:
    assert owed_answers(data) == owed


def test_chunks_of_a_body_are_a_body() -> None:
    for seed in range(20):
        body = random.Random(seed).randbytes(1_000)
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert owed_answers(head + chunked(random.Random(seed), body)) == 1


def test_json_near_is_json_and_differs() -> None:
    source = {"name": "x", "payload": {"list": [1, {"a": None}]}}
    texts = {json_near(random.Random(seed), source) for seed in range(200)}
    assert len(texts) > 100
    assert source == {"name": "x", "payload": {"list": [1, {"a": None}]}}
    assert any("[" * 1_000 in text for text in texts)
    assert any("\\ud800" in text for text in texts)


def test_values_that_no_encoder_accepts_are_encoded() -> None:
    assert as_json(["\ud800", float("nan")]) == '["\\ud800", NaN]'
    with pytest.raises(TypeError):
        orjson.dumps("\ud800")


def test_documents_and_bytes_near_differ() -> None:
    document = "query Q($b: ID!) { board(boardId: $b) { cursor } }"
    assert len({document_near(random.Random(seed), document) for seed in range(100)}) > 60
    assert len({bytes_near(random.Random(seed), b"GET / HTTP/1.1") for seed in range(100)}) > 80


def test_frames_have_the_size_and_mask_of_rfc_6455() -> None:
    small, large = frame(random.Random(1), TEXT, b"hello"), frame(random.Random(1), TEXT, b"x" * 70_000)
    assert (small[0], small[1], len(small)) == (0x81, 0x80 | 5, 2 + 4 + 5)
    assert bytes(byte ^ small[2 + place % 4] for place, byte in enumerate(small[6:])) == b"hello"
    assert large[1:10] == bytes([0x80 | 127]) + (70_000).to_bytes(8, "big")
    assert message(random.Random(2), b"{}") == message(random.Random(2), b"{}")


def test_half_of_a_surrogate_pair_in_a_token_is_sent_as_json() -> None:
    _, begin = SEQUENCES["many-subscriptions"]
    made = [begin(random.Random(seed), Access.WRONG, _FACTS) for seed in range(200)]
    texts = b"".join(step.data for _, steps, *_ in made for step in steps if isinstance(step, Say))
    assert texts
