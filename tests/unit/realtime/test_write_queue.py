"""The queue of write units: in order within each channel, in groups, and light units before heavy ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import StoreUnavailable
from realtime.messages.channels import Channel
from realtime.writing.write_group import HEAVY_PARTS, Result, Unit
from realtime.writing.write_queue import MAX_GROUP_PARTS, MAX_OVERTAKING, MAX_WAITING, WriteQueue
from tests.kit.deadline import deadline

_CHANNELS = tuple(Channel(name) for name in "abc")
_A, _B, _C = (frozenset({channel}) for channel in _CHANNELS)
_HEAVY = HEAVY_PARTS + 1


def _unit(channels: frozenset[Channel], parts: int = 1) -> Unit[Any]:
    """Make a unit that is never carried out on a store."""

    def work(*_: object) -> Any:
        raise NotImplementedError

    return Unit(channels, frozenset(), parts, work)


@dataclass
class _Writer:
    """Carries out one group each time `end` is called; the result of a unit is the unit."""

    groups: list[list[Unit[Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue = WriteQueue(self._carry_out)
        self.answers: dict[int, asyncio.Future[Any]] = {}
        self._end = asyncio.Event()
        self.is_writing = False

    async def _carry_out(self, units: Sequence[Unit[Any]]) -> Sequence[Result | Exception]:
        assert not self.is_writing, "two groups are carried out at once"
        self.groups.append(list(units))
        self.is_writing = True
        await self._end.wait()
        self._end.clear()
        self.is_writing = False
        return units  # type: ignore[return-value]  # any object may be a result here

    async def put(self, unit: Unit[Any]) -> None:
        """Request a unit."""
        self.answers[id(unit)] = self.queue.put(unit)
        await _settled()

    async def end(self) -> None:
        """End the group that is being carried out."""
        last = self.groups[-1]
        self._end.set()
        await _settled()
        assert [await self.answers[id(unit)] for unit in last] == last


async def _settled() -> None:
    """Let each task run until it waits."""
    for _ in range(4):
        await asyncio.sleep(0)


_SIZE = st.sampled_from([1, 1, 1, 2, 60, HEAVY_PARTS, _HEAVY])
_STEP = st.one_of(st.tuples(st.frozensets(st.sampled_from(_CHANNELS), max_size=2), _SIZE), st.none())


@given(st.lists(_STEP, max_size=60))
def test_every_unit_is_carried_out_once_and_in_order_within_its_channels(
    steps: list[tuple[frozenset[Channel], int] | None],
) -> None:
    async def run() -> None:
        writer, put = _Writer(), list[Unit[Any]]()
        for step in steps:
            if step is not None:
                put.append(_unit(*step))
                await writer.put(put[-1])
            elif writer.is_writing:
                await writer.end()
        while writer.is_writing:
            await writer.end()
        done = [unit for group in writer.groups for unit in group]
        assert sorted(map(id, done)) == sorted(map(id, put))
        for channel in _CHANNELS:
            assert [one for one in done if channel in one.channels] == [one for one in put if channel in one.channels]
        heavy = [one for one in put if one.is_heavy]
        assert [one for one in done if one.is_heavy] == heavy
        # A unit overtakes heavy units, and the units that wait behind one of them.
        assert heavy or done == put
        for group in writer.groups:
            parts = sum(unit.parts for unit in group)
            assert len(group) == 1 or (parts <= MAX_GROUP_PARTS and not any(unit.is_heavy for unit in group))

    asyncio.run(run())


async def test_units_that_wait_are_one_group() -> None:
    writer = _Writer()
    units = [_unit(_A), _unit(_B), _unit(_A), _unit(frozenset())]
    for unit in units:
        await writer.put(unit)
    await writer.end()
    await writer.end()
    assert writer.groups == [units[:1], units[1:]]


async def test_light_unit_overtakes_heavy_ones_of_other_channels_only() -> None:
    writer = _Writer()
    first, heavy, behind, ahead = _unit(_A), _unit(_B, _HEAVY), _unit(_B), _unit(_C)
    for unit in (first, heavy, behind, ahead):
        await writer.put(unit)
    while writer.is_writing:
        await writer.end()
    assert writer.groups == [[first], [ahead], [heavy], [behind]]


async def test_heavy_unit_is_overtaken_by_a_bounded_number_of_light_ones() -> None:
    writer = _Writer()
    heavy = _unit(_B, _HEAVY)
    await writer.put(_unit(_A))
    await writer.put(heavy)
    for _ in range(MAX_OVERTAKING + 5):
        await writer.put(_unit(_C))
    while writer.is_writing:
        await writer.end()
    done = [unit for group in writer.groups for unit in group]
    assert done.index(heavy) == 1 + MAX_OVERTAKING


async def test_fault_in_the_choice_of_a_group_hurts_no_unit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer = _Writer()
    choose = WriteQueue._next_group  # noqa: SLF001 - the fault is inside
    faults = iter([RuntimeError("a fault")])

    def failing(self: WriteQueue) -> Any:
        for fault in faults:
            raise fault
        return choose(self)

    monkeypatch.setattr(WriteQueue, "_next_group", failing)
    units = [_unit(_A), _unit(_A), _unit(_B)]
    for unit in units:
        writer.answers[id(unit)] = writer.queue.put(unit)
    await _settled()
    while writer.is_writing:
        await writer.end()
    assert writer.groups == [units[:1], units[1:]]
    assert "the next units could not be chosen" in caplog.text


async def test_closing_waits_for_the_units_that_wait() -> None:
    writer = _Writer()
    async with deadline(10):
        for channels in (_A, _B):
            await writer.put(_unit(channels))
        closing = asyncio.create_task(writer.queue.aclose())
        await writer.end()
        assert not closing.done()
        await writer.end()
        await closing
    assert len(writer.groups) == 2


async def test_a_unit_over_the_bound_is_refused_and_those_before_it_are_carried_out() -> None:
    writer = _Writer()
    first = _unit(_A)
    await writer.put(first)
    for _ in range(MAX_WAITING):
        unit = _unit(_A)
        writer.answers[id(unit)] = writer.queue.put(unit)
    with pytest.raises(StoreUnavailable, match=f"{MAX_WAITING} requests wait"):
        _ = writer.queue.put(_unit(_A))
    await writer.end()
    await writer.put(_unit(_A))
    while writer.is_writing:
        await writer.end()
    assert sum(map(len, writer.groups)) == 1 + MAX_WAITING + 1


async def test_every_caller_gets_an_answer_when_the_task_is_cancelled() -> None:
    writer = _Writer()
    async with deadline(10):
        for _ in range(2):
            await writer.put(_unit(_A))
        task = next(one for one in asyncio.all_tasks() if one.get_name() == "write queue")
        task.cancel()
        for answer in writer.answers.values():
            with pytest.raises(StoreUnavailable, match="stopped before"):
                await answer
        assert task.cancelled()
        unit = _unit(_B)
        writer.is_writing = False
        await writer.put(unit)
        await writer.end()
