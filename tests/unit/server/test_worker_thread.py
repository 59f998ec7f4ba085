"""The thread runs long computations one after the other, and the event loop continues meanwhile."""

from __future__ import annotations

import asyncio
import threading

import pytest

from server.concurrency.worker_thread import computed


async def test_computations_run_one_after_the_other_in_one_thread_apart_from_the_loop() -> None:
    loop, goes_on, order = asyncio.get_running_loop(), threading.Event(), list[object]()

    def first() -> str:
        loop.call_soon_threadsafe(goes_on.set)  # only a free loop can do that
        assert goes_on.wait(10)
        order.append(threading.get_ident())
        return "first"

    def second() -> str:
        order.append(threading.get_ident())
        return "second"

    assert list(await asyncio.gather(computed(first), computed(second))) == ["first", "second"]
    assert order[0] == order[1] != threading.get_ident()


async def test_exception_of_a_computation_is_raised_where_it_is_awaited() -> None:
    with pytest.raises(ZeroDivisionError):
        await computed(lambda: 1 // 0)
