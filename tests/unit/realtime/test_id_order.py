"""`IdOrder` behaves like a list."""

from __future__ import annotations

import random

import pytest

from realtime.kanban.ids import CardId
from realtime.kanban.input.id_order import IdOrder


def _ids(count: int) -> list[CardId]:
    return [CardId(f"c{n}") for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 1000])
def test_order_is_as_given(count: int) -> None:
    ids = _ids(count)
    order = IdOrder(ids)
    assert (list(order), len(order)) == (ids, count)
    assert [order.index(id) for id in ids] == list(range(count))


@pytest.mark.parametrize("seed", range(5))
def test_changes_are_those_of_a_list(seed: int) -> None:
    rng = random.Random(seed)
    ids = _ids(700)
    order, plain = IdOrder(ids[:300]), ids[:300]
    for id in ids[300:]:
        place = rng.choice((0, len(plain), rng.randrange(len(plain) + 1)))
        order.insert(place, id)
        plain.insert(place, id)
        gone = rng.choice(plain)
        assert order.index(gone) == plain.index(gone)
        if rng.random() < 0.6:
            order.remove(gone)
            plain.remove(gone)
        assert list(order) == plain
    for id in rng.sample(plain, len(plain)):
        order.remove(id)
    assert list(order) == []
    order.insert(0, ids[0])
    assert list(order) == ids[:1]


def test_unknown_id_is_not_found() -> None:
    for act in (IdOrder().index, IdOrder().remove):
        with pytest.raises(KeyError):
            act(CardId("x"))


class _Counted(str):
    """An id that counts its comparisons."""

    __slots__ = ()
    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        """Count, and compare."""
        _Counted.compared += 1
        return str.__eq__(self, other)


def test_turning_an_order_around_takes_few_comparisons() -> None:
    """A list of 10,000 cards would take 50 million."""
    ids = [CardId(_Counted(f"c{n}")) for n in range(10_000)]
    order = IdOrder(ids)
    _Counted.compared = 0
    for place, id in enumerate(reversed(ids)):
        order.index(id)
        order.remove(id)
        order.insert(place, id)
    assert list(order) == ids[::-1]
    assert _Counted.compared < 5_000_000
