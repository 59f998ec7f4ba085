"""The client's copy, checked by examples: each change as `docs/protocol.md` describes it, and the equivalent patch."""

from __future__ import annotations

import orjson
import pytest

from tests.equivalence.mapping import Json
from tests.faults.copies import Copy

_OLD, _NEW = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"


def _state(todo: str, done: str, **updated: str) -> Json:
    """Return a board. The id of a card is one letter, and its title is the same."""
    ids = {"todo": list(todo), "done": list(done)}
    cards = {id: {"id": id, "title": id, "updatedAt": updated.get(id, _OLD)} for id in todo + done}
    columns = {id: {"id": id, "title": id, "cardIds": cards} for id, cards in ids.items()}
    return {"columns": columns, "columnOrder": list(columns), "cards": cards}


def _copy_of(state: Json) -> Copy:
    copy = Copy()
    copy.replace(orjson.loads(orjson.dumps(state)))
    return copy


def _moved(card: str, source: tuple[str, int], target: tuple[str, int]) -> Json:
    places = {"fromColumnId": source[0], "fromIndex": source[1], "toColumnId": target[0], "toIndex": target[1]}
    return {"cardId": card, **places, "updatedAt": _NEW}


@pytest.mark.parametrize(
    ("type", "change", "after"),
    [
        (
            "card_created",
            {"columnId": "todo", "index": 1, "card": {"id": "x", "title": "x", "updatedAt": _OLD}},
            _state("axbc", "de"),
        ),
        (
            "card_updated",
            {"cardId": "a", "set": {"updatedAt": _NEW}, "unset": ["description"]},
            _state("abc", "de", a=_NEW),
        ),
        ("card_moved", _moved("a", ("todo", 0), ("todo", 1)), _state("bac", "de", a=_NEW, b=_NEW)),
        ("card_moved", _moved("c", ("todo", 2), ("todo", 0)), _state("cab", "de", a=_NEW, b=_NEW, c=_NEW)),
        ("card_moved", _moved("b", ("todo", 1), ("done", 1)), _state("ac", "dbe", b=_NEW, c=_NEW, e=_NEW)),
        ("card_moved", {**_moved("b", ("todo", 1), ("done", 1)), "updatedAt": None}, _state("ac", "dbe")),
        (
            "card_deleted",
            {"cardId": "b", "columnId": "todo", "index": 1, "updatedAt": _NEW},
            _state("ac", "de", c=_NEW),
        ),
        ("card_deleted", {"cardId": "b", "columnId": "todo", "index": 1}, _state("ac", "de")),
    ],
)
def test_change_makes_the_next_state(type: str, change: Json, after: Json) -> None:
    copy = _copy_of(_state("abc", "de"))
    copy.change(type, change)
    assert copy.text() == _copy_of(after).text()


def test_columns_may_be_new_and_in_another_order() -> None:
    copy = _copy_of(_state("abc", ""))
    copy.change("columns_changed", {"columns": [{"id": "new", "title": "n"}, {"id": "todo", "title": "t"}]})
    after = _state("abc", "")
    after["columns"] = {
        "new": {"id": "new", "title": "n", "cardIds": []},
        "todo": {**after["columns"]["todo"], "title": "t"},
    }
    assert copy.text() == _copy_of({**after, "columnOrder": ["new", "todo"]}).text()


def test_patch_is_applied_as_far_as_the_copy_goes() -> None:
    copy = _copy_of(_state("abc", "de"))
    copy.patch(
        [
            {"op": "move", "from": "/columns/todo/cardIds/0", "path": "/columns/done/cardIds/2"},
            {"op": "replace", "path": "/cards/a/updatedAt", "value": _NEW},
            {"op": "replace", "path": "/cards/a/ticketType", "value": "feat"},
        ]
    )
    assert copy.text() == _copy_of(_state("bc", "dea", a=_NEW)).text()


@pytest.mark.parametrize(
    ("type", "change"),
    [
        ("card_moved", _moved("a", ("todo", 1), ("done", 0))),
        ("card_deleted", {"cardId": "a", "columnId": "todo", "index": 2}),
        ("columns_changed", {"columns": [{"id": "done", "title": "done"}]}),
    ],
)
def test_change_that_does_not_fit_is_caught(type: str, change: Json) -> None:
    with pytest.raises(AssertionError):
        _copy_of(_state("abc", "de")).change(type, change)
