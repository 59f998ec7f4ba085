"""The registry of payloads: every type once, with the keys that its class declares."""

from __future__ import annotations

import inspect
from typing import get_args

import orjson
import pytest

from realtime.clock import iso
from realtime.kanban.changes import Difference
from realtime.kanban.events import EVENT_MODELS
from realtime.messages import payloads
from realtime.messages.payloads import PAYLOADS, Payload
from realtime.messages.translate import TRANSLATIONS
from tests.kit.nodes import START
from tests.unit.realtime.payload_samples import payload_samples


def test_every_class_is_in_the_registry() -> None:
    classes = {one for _, one in inspect.getmembers(payloads, inspect.isclass) if issubclass(one, Payload)}
    assert classes - {Payload} == set(PAYLOADS.values())
    assert all(one.__doc__ for one in classes)
    assert len({one.type for one in PAYLOADS.values()}) == len(PAYLOADS)


def test_every_event_has_its_envelopes_or_a_reason_to_have_none() -> None:
    assert set(TRANSLATIONS) == set(EVENT_MODELS.values())


def test_every_change_is_told_under_its_own_type() -> None:
    kinds = {kind.__dataclass_fields__["type"].default for kind in get_args(Difference)}
    assert kinds <= set(PAYLOADS)


def test_every_type_has_a_sample() -> None:
    assert {one.type for one in payload_samples()} == set(PAYLOADS)


@pytest.mark.parametrize("type", sorted(type for type, kind in PAYLOADS.items() if kind.wire_keys()))
def test_json_has_the_keys_of_the_class_in_their_order(type: str) -> None:
    keys = PAYLOADS[type].wire_keys()
    for one in payload_samples():
        if one.type == type:
            found = list(orjson.loads(one.json()))
            assert [key.name for key in keys if not key.is_optional or key.name in found] == found


def test_optional_key_is_absent_without_a_value_and_another_is_null() -> None:
    assert payloads.Heartbeat(iso(START), None, None).json() == b'{"ts":"2025-01-02T03:04:05.678Z"}'
    assert payloads.AgentRegistered("A", None).json() == b'{"agent":"A","label":null}'


def test_key_that_is_a_word_of_python_loses_its_underscore() -> None:
    assert payloads.Gap("r", "a", "b").json() == b'{"reason":"r","from":"a","to":"b"}'
