"""`first_to_end`: when one task ends, the others are cancelled and awaited."""

from __future__ import annotations

import asyncio

import pytest

from server.concurrency.tasks import first_to_end
from tests.kit.deadline import deadline


class _Waiting:
    def __init__(self) -> None:
        self.ended = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # a clean-up that takes time
            self.ended = True


async def _fail(error: Exception) -> None:
    raise error


async def _return() -> None:
    return


async def test_others_are_cancelled_and_have_cleaned_up() -> None:
    waiting = [_Waiting(), _Waiting()]
    async with deadline(5):
        await first_to_end(waiting[0].run(), _return(), waiting[1].run())
    assert [one.ended for one in waiting] == [True, True]


async def test_exception_of_the_first_is_raised_after_clean_up() -> None:
    waiting = _Waiting()
    with pytest.raises(KeyError, match="why"):
        async with deadline(5):
            await first_to_end(waiting.run(), _fail(KeyError("why")))
    assert waiting.ended


async def test_first_given_of_two_failures_counts() -> None:
    with pytest.raises(ValueError, match="one"):
        await first_to_end(_fail(ValueError("one")), _fail(KeyError("two")))


async def test_cancelled_caller_takes_all_along() -> None:
    waiting = [_Waiting(), _Waiting()]
    task = asyncio.create_task(first_to_end(*(one.run() for one in waiting)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one.ended for one in waiting] == [True, True]
