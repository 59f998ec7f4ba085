"""Turns of writing: one at a time, in order, but for light units that heavy ones of other channels do not hold up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from realtime.messages.channels import Channel
from realtime.writing.turns import MAX_OVERTAKING, Turns

#: A unit: its name, its channels, and whether it is heavy.
_Unit = tuple[str, str, bool]


async def _order(units: Sequence[_Unit]) -> list[str]:
    """Return the order in which units have their turn that ask one after the other while another has it."""
    turns, order = Turns(), []

    async def write(name: str, channels: str, is_heavy: bool) -> None:
        async with turns.taken([Channel(one) for one in channels], is_heavy=is_heavy):
            order.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group, turns.taken([Channel("z")], is_heavy=False):
        for unit in units:
            group.create_task(write(*unit))
        await asyncio.sleep(0)
        assert order == []
    return order


@pytest.mark.parametrize(
    ("units", "order"),
    [
        ([("1", "a", False), ("2", "b", False), ("3", "a", False)], "123"),
        ([("H", "a", True), ("I", "b", True), ("1", "c", False)], "1HI"),
        ([("H", "a", True), ("1", "a", False), ("2", "c", False)], "2H1"),
        ([("H", "ab", True), ("1", "bc", False), ("2", "c", False), ("3", "d", False)], "3H12"),
        ([("1", "a", False), ("H", "b", True), ("I", "a", True), ("2", "c", False)], "12HI"),
    ],
    ids=["all are light", "light one first", "not in its own channel", "nor behind such a one", "light one in front"],
)
async def test_light_units_go_before_heavy_ones_of_other_channels(units: list[_Unit], order: str) -> None:
    assert "".join(await _order(units)) == order


async def test_heavy_unit_has_its_turn_after_so_many_light_ones() -> None:
    light: list[_Unit] = [(f"{n}", "b", False) for n in range(2 * MAX_OVERTAKING)]
    order = await _order([("H", "a", True), *light])
    assert order.index("H") == MAX_OVERTAKING
    assert [one for one in order if one != "H"] == [name for name, *_ in light]


async def test_turn_of_one_that_left_goes_to_the_next() -> None:
    turns, order = Turns(), []

    async def write(name: str) -> None:
        async with turns.taken([Channel("a")], is_heavy=False):
            order.append(name)

    async with turns.taken([Channel("a")], is_heavy=False):
        first, second, third = (asyncio.create_task(write(name)) for name in "123")
        await asyncio.sleep(0)
        second.cancel()  # while it waits
        await asyncio.sleep(0)
    first.cancel()  # once it has been given the turn
    await asyncio.wait([first, second, third])
    assert order == ["3"]
    async with asyncio.timeout(10), turns.taken([Channel("a")], is_heavy=False):
        pass


async def test_turn_of_one_that_failed_goes_to_the_next() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="x"):
        async with turns.taken([Channel("a")], is_heavy=True):
            raise ValueError("x")
    async with asyncio.timeout(10), turns.taken([Channel("a")], is_heavy=True):
        pass


async def test_unit_cancelled_in_the_moment_of_its_turn_does_not_get_it(caplog: pytest.LogCaptureFixture) -> None:
    turns, order = Turns(), []

    async def write(name: str) -> None:
        async with turns.taken([Channel("a")], is_heavy=False):
            order.append(name)

    async with turns.taken([Channel("a")], is_heavy=False):
        left, stays = (asyncio.create_task(write(name)) for name in ("left", "stays"))
        await asyncio.sleep(0)
        left.cancel()  # its task runs only after the turn has been passed on
    async with asyncio.timeout(10):
        await asyncio.wait([left, stays])
    assert (left.cancelled(), order, caplog.text) == (True, ["stays"], "")
