"""The streams: async generators that feed every exit, and nothing else does.

A stream yields hello, the snapshot, and then what happens, in order, without gap or repeat. It registers nothing
before it is first iterated, and forgets everything however it ends; consume it inside `contextlib.aclosing`.

There are two ways to read the one stream: by the envelope, for exits that do something with each, and by the batch,
for those that write what all readers get alike.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, nullcontext
from functools import partial

from realtime.dashboard.time_range import TimeRange
from realtime.errors import ChannelGone, EnvelopesLost, NotFound, PositionLost, SubscriberTooSlow
from realtime.fanout.connection_lifetimes import ConnectionLifetime
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.ids import BoardId
from realtime.messages import envelopes
from realtime.messages.batches import Batch
from realtime.messages.channels import delivery_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import SlowPolicy, StreamOptions
from realtime.messages.position import Position
from realtime.node import Node
from realtime.views.board_views import BoardView
from realtime.views.heartbeats import CHECKED
from realtime.views.replay import missed, missed_globally, seen_at

__all__ = ["board_batches", "dashboard_batches", "one", "repaired", "state_of"]

Stream = AsyncGenerator[Envelope, None]
Batches = AsyncGenerator[Batch, None]
#: How a stream reads its queue: one envelope, or all that waits.
Take = Callable[[Subscriber], Awaitable[Batch]]
#: Cuts the present, for a reader behind that cursor, for that reason: a `gap`, then what stands for the present.
Cut = Callable[[str, str], Awaitable[Sequence[Envelope]]]
#: Returns when the present may be cut.
Settle = Callable[[], Awaitable[None]]
#: Of a reader that asks for nothing in particular.
DEFAULT = StreamOptions()
#: Milliseconds after which a reader that was too slow may come back.
SLOW_RECONNECT_MS = 1000
_SLOW, _LOST = SubscriberTooSlow.code, "broker_lost"


async def one(live: Subscriber) -> Batch:
    """Take one envelope; what waits behind it stays within the reader's bounds."""
    return Batch((await live.get(),))


async def board_batches(
    node: Node,
    board_id: BoardId,
    subscriber: Subscriber | None = None,
    options: StreamOptions = DEFAULT,
    *,
    lifetime: ConnectionLifetime | None = None,
    take: Take = Subscriber.take,
) -> AsyncGenerator[Batch, None]:
    """Yield `hello`, `state`, one `attempt_status` per attempt (newest created first), then what happens.

    `subscriber` is the queue to read from; who gives one may put replies of its own into it (`state_of`).
    `options.delivery` says how changes of the board are told; the beginning is the same for all. In `changes` and
    `patch` there is a `heartbeat` now and then, which names cursor and hash of what the reader has by then.
    With `options.after`, where the reader stood before, it is `hello`, what was missed since, then what happens.
    Where nothing leads from there to now, a `gap` comes behind `hello` (or where it shows), and the snapshot after it;
    so it is where the reader was too slow, unless `options.slow` would rather end the stream.
    `lifetime` is that of a connection that may have other readers; without it the stream is its connection's only one.
    When the board is deleted there is a `goodbye`. The stream of a subscriber that outlasts its channel stays open,
    and yields replies only (docs/departures.md, row 8) and, in `changes` and `patch`, a plain `heartbeat` now and then.

    Raises:
        NotFound: there is no such board; nothing was yielded.
        StoreUnavailable: the board or its log could not be read.
        SubscriberTooSlow: as the reader wished, or because it let its own replies pile up; `goodbye` was yielded
            before, and both have the cursor to come back with.
        StreamEnded: the board was deleted, the server stops, or the connection has lasted as long as one may; `goodbye`
            was yielded before.
    """
    live = subscriber if subscriber is not None else node.subscriber()
    with node.lifetimes.reading(live, lifetime):
        try:
            async with node.views.watch(board_id) as view:
                # Deleted while this reader waited for the view: there is nothing to follow any more.
                if node.views.get(board_id) is not view:
                    raise NotFound("Board not found", "board_not_found")
                # No await between this and the end of the snapshot's making: nothing can fall in between.
                channel = delivery_channel(board_id, options.delivery)
                with node.hub.subscribe(channel, live), node.heartbeats.running_for(board_id, options.delivery):
                    now = view.position
                    live.cursor = options.after or now.cursor
                    replay = partial(missed, node.store, board_id, until=now, delivery=options.delivery)
                    async with aclosing(_opening(node, options.after, now, replay, view.snapshot())) as opening:
                        async for envelope in opening:
                            live.cursor = envelope.cursor or live.cursor
                            yield Batch((envelope,))
                    # Here and below: a reader that sleeps holds on to nothing, for each may have another last envelope.
                    del envelope, opening, replay
                    async with aclosing(_live(take, live, options.slow, _present(view), view.repaired)) as happening:
                        async for batch in happening:
                            yield batch
                            del batch
        except ChannelGone:
            # A board that is gone is held by nobody. It is there: `ChannelGone` comes out of the queue.
            del view  # type: ignore[possibly-undefined]
        async with aclosing(_silent(node, live, options, take)) as replies:
            async for batch in replies:
                yield batch
                del batch


async def dashboard_batches(
    node: Node,
    time_range: TimeRange,
    subscriber: Subscriber | None = None,
    options: StreamOptions = DEFAULT,
    *,
    lifetime: ConnectionLifetime | None = None,
    take: Take = Subscriber.take,
) -> AsyncGenerator[Batch, None]:
    """Yield `hello`, `dashboard_overview`, then a new overview whenever there is one, and agent events.

    The arguments are those of `board_batches`; only agent events can be missed, an overview is made anew.

    Raises:
        StoreUnavailable: the overview could not be computed.
        SubscriberTooSlow: as in `board_batches`.
        StreamEnded: as in `board_batches`.
    """
    live = subscriber if subscriber is not None else node.subscriber()

    async def overview(now: Position) -> Envelope:
        # Under the position of before the wait: agent events since then wait in the queue, behind the overview.
        return (await node.dashboard.envelope(time_range)).stamped(now.cursor)

    async def present(reason: str, last: str) -> Sequence[Envelope]:
        now = node.dashboard.position
        return envelopes.gap(reason, last, now), await overview(now)

    async with node.dashboard.watch(time_range) as channel:
        with node.hub.subscribe(channel, live), node.lifetimes.reading(live, lifetime):
            now = node.dashboard.position
            first = await overview(now)
            replay = partial(missed_globally, node.store, until=now)
            async with aclosing(_opening(node, options.after, now, replay, ())) as opening:
                async for envelope in opening:
                    yield Batch((envelope,))
            yield Batch((first,))
            del first, envelope, opening, replay
            live.cursor = now.cursor
            async with aclosing(_live(take, live, options.slow, present, _at_once)) as happening:
                async for batch in happening:
                    yield batch
                    del batch


async def repaired(node: Node, board_id: BoardId) -> None:
    """Return when the view of a board, if there is one, has all that its log has; see `BoardView.repaired`.

    Raises:
        StoreUnavailable: the log cannot be read.
    """
    view = node.views.loaded(board_id)
    if view is not None:
        await view.repaired()


def state_of(node: Node, board_id: BoardId) -> Envelope | None:
    """Return the state of a watched board as of now, None when it is not watched (or gone)."""
    view = node.views.get(board_id)
    return view.snapshot()[0] if view else None


def _present(view: BoardView) -> Cut:
    async def present(reason: str, last: str) -> Sequence[Envelope]:
        return envelopes.gap(reason, last, view.position), *view.snapshot()

    return present


async def _silent(node: Node, live: Subscriber, options: StreamOptions, take: Take) -> Batches:
    """Yield the replies to a reader whose board is gone, and signs of life where its stream had some."""
    beats = node.heartbeats.plain(live) if options.delivery in CHECKED else nullcontext()
    with live.metrics.reading(), beats:
        async with aclosing(_live(take, live, options.slow, _nothing, _at_once)) as replies:
            async for batch in replies:
                yield batch
                del batch


async def _nothing(reason: str, last: str) -> Sequence[Envelope]:
    return ()  # what was dropped were replies to a reader whose board is gone


async def _at_once() -> None:
    """Wait for nothing: overviews are made when they are asked for."""


async def _live(take: Take, live: Subscriber, slow: SlowPolicy, present: Cut, settle: Settle) -> Batches:
    """Yield what happens behind `live.cursor`; where the reader was too slow for it, what `slow` says."""
    while True:
        try:
            batch = await take(live)
        except (SubscriberTooSlow, EnvelopesLost) as lapsed:
            last, reason = live.cursor, _LOST if isinstance(lapsed, EnvelopesLost) else _SLOW
            await settle()
            try:
                if reason == _SLOW and slow is SlowPolicy.DISCONNECT:
                    raise lapsed
                live.resume()
            except SubscriberTooSlow as error:
                yield Batch((envelopes.goodbye(_SLOW, SLOW_RECONNECT_MS, last),))
                raise SubscriberTooSlow(str(error), last) from None
            # No await between `resume` and the cut: what is not in the present waits behind it.
            batch = Batch(await present(reason, last))
            live.cursor = batch.cursor or last
        if batch:
            yield batch
        del batch


async def _opening(
    node: Node, after: str | None, now: Position, replay: Callable[[Position], Stream], snapshot: Sequence[Envelope]
) -> Stream:
    """Yield `hello` and what brings the reader to `now`: what it missed since `after`, else the snapshot."""
    seen, last = now, after
    lost: PositionLost | None = None
    try:
        # It stands where it stood until it has what it missed: whoever leaves in between comes back with that.
        seen = now if after is None else seen_at(after, now)
    except PositionLost as error:
        lost = error
    yield envelopes.hello(node.clock(), seen, node.limits.heartbeat_seconds)
    try:
        async with aclosing(replay(seen)) as replayed:
            async for envelope in replayed:
                last = envelope.cursor
                yield envelope
    except PositionLost as error:
        lost = error
    if lost is not None:
        yield envelopes.gap(lost.reason, last or now.cursor, now)
    if after is None or lost is not None:
        for envelope in snapshot:
            yield envelope
