"""The streams: async generators that feed every exit.

A stream yields `hello`, the snapshot, and then the new envelopes in order, without gap or repeat. It registers nothing
before it is first iterated, and releases everything whatever its end; consume it inside `contextlib.aclosing`.

A stream can be read by the envelope, for exits that process each one, or by the batch, for exits that write the same
bytes to all subscribers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, nullcontext
from functools import partial

from realtime.dashboard.time_range import TimeRange
from realtime.errors import ChannelGone, EnvelopesLost, NotFound, PositionLost, SubscriberTooSlow
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.grants import Action
from realtime.kanban.ids import BoardId
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.lifetimes.credentials import Credential
from realtime.messages import envelopes
from realtime.messages.batches import Batch
from realtime.messages.channels import delivery_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import SlowPolicy, StreamOptions
from realtime.messages.position import Position
from realtime.node import Node
from realtime.views.board_views import BoardView
from realtime.views.heartbeats import CHECKED
from realtime.views.replay import is_ahead, missed, missed_globally, seen_at

__all__ = ["board_batches", "dashboard_batches", "one", "repaired", "state_of"]

Stream = AsyncGenerator[Envelope, None]
Batches = AsyncGenerator[Batch, None]
#: How a stream reads its queue: one envelope, or all waiting ones.
Take = Callable[[Subscriber], Awaitable[Batch]]
#: Returns the resync of a subscriber for a reason and its last cursor: a `gap`, then the current state.
Resync = Callable[[str, str], Awaitable[Sequence[Envelope]]]
#: Returns once the current state may be read.
Settle = Callable[[], Awaitable[None]]
#: The options of a client that sends none.
DEFAULT = StreamOptions()
#: Milliseconds after which the client of a slow subscriber should reconnect.
SLOW_RECONNECT_MS = 1000
_SLOW, _LOST = SubscriberTooSlow.code, "broker_lost"


async def one(live: Subscriber) -> Batch:
    """Take one envelope; the rest stays in the subscriber's bounded queue."""
    return Batch((await live.get(),))


async def board_batches(
    node: Node,
    board_id: BoardId,
    subscriber: Subscriber | None = None,
    options: StreamOptions = DEFAULT,
    *,
    lifetime: ConnectionLifetime | None = None,
    credential: Credential | None = None,
    take: Take = Subscriber.take,
) -> AsyncGenerator[Batch, None]:
    """Yield `hello`, `state`, one `attempt_status` per attempt (newest first), then the new envelopes.

    `subscriber` is the queue to read from. A caller that passes one may put its own replies into it (`state_of`).
    `options.delivery` is the form of board changes; all begin alike. In `changes` and `patch` there is a regular
    `heartbeat` with the cursor and hash of the client's copy at that point. With `options.after`, the client's last
    cursor, it is `hello`, the missed envelopes, then the new ones. If no replay leads from there to now, a `gap` comes
    behind `hello` (or where the replay fails), and the snapshot after it. A subscriber that was too slow gets the same,
    unless `options.slow` asks for the end of the stream. `lifetime` is that of a connection that may have other
    subscribers; without it, this stream is the only one, and ends with `credential`. A deleted board gets a `goodbye`;
    from then on there are only replies (docs/departures.md, row 8), and in `changes` and `patch` plain `heartbeat`s.

    Raises:
        NotFound: the board does not exist; nothing was yielded.
        StoreUnavailable: the board or its log could not be read.
        SubscriberTooSlow: `options.slow` asks for it, or too many of the caller's own replies waited. A `goodbye` was
            yielded before, and both have the cursor with which to resume.
        StreamEnded: the board was deleted, or the connection is to end; a `goodbye` was yielded before.
    """
    live = subscriber if subscriber is not None else node.subscriber()
    with node.lifetimes.reading(live, lifetime, credential, (Action.READ, board_id)):
        try:
            async with node.views.watch(board_id) as view:
                await _catch_up(node, options.after, view.position, board_id)
                # The board was deleted while this subscriber waited for the view.
                if node.views.get(board_id) is not view:
                    raise NotFound("Board not found", "board_not_found")
                # There is no await from here until the snapshot is made, so no event falls in between.
                channel = delivery_channel(board_id, options.delivery)
                with node.hub.subscribe(channel, live), node.heartbeats.running_for(board_id, options.delivery):
                    now = view.position
                    live.cursor = options.after or now.cursor
                    replay = partial(missed, node.store, board_id, until=now, delivery=options.delivery)
                    async with aclosing(_opening(node, live, options.after, now, replay, view.snapshot())) as opening:
                        async for envelope in opening:
                            live.cursor = envelope.cursor or live.cursor
                            yield Batch((envelope,))
                    # Here and below: an idle stream must not keep its last envelope in memory; all may differ.
                    del envelope, opening, replay
                    async with aclosing(_live(node, take, live, options.slow, _resync_of(view), view.repaired)) as feed:
                        async for batch in feed:
                            yield batch
                            del batch
        except ChannelGone:
            # A deleted board must not stay in memory. `view` is bound, because `ChannelGone` comes from the queue.
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
    credential: Credential | None = None,
    take: Take = Subscriber.take,
) -> AsyncGenerator[Batch, None]:
    """Yield `hello`, `dashboard_overview`, then each new overview, and agent events.

    The arguments are those of `board_batches`. Only agent events are replayed; an overview is computed again.

    Raises:
        StoreUnavailable: the overview could not be computed.
        SubscriberTooSlow: as in `board_batches`.
        StreamEnded: as in `board_batches`.
    """
    live = subscriber if subscriber is not None else node.subscriber()

    async def overview(now: Position) -> Envelope:
        # With the position before the wait: agent events since then are in the queue, behind the overview.
        return (await node.dashboard.envelope(time_range)).stamped(now.cursor)

    async def resync(reason: str, last: str) -> Sequence[Envelope]:
        now = node.dashboard.position
        return envelopes.gap(reason, last, now), await overview(now)

    async with node.dashboard.watch(time_range) as channel:
        await _catch_up(node, options.after, node.dashboard.position)
        need = (Action.DASHBOARD, None)
        with node.hub.subscribe(channel, live), node.lifetimes.reading(live, lifetime, credential, need):
            now = node.dashboard.position
            first = await overview(now)
            replay = partial(missed_globally, node.store, until=now)
            async with aclosing(_opening(node, live, options.after, now, replay, ())) as opening:
                async for envelope in opening:
                    yield Batch((envelope,))
            yield Batch((first,))
            del first, envelope, opening, replay
            live.cursor = now.cursor
            async with aclosing(_live(node, take, live, options.slow, resync, _at_once)) as feed:
                async for batch in feed:
                    yield batch
                    del batch


async def repaired(node: Node, board_id: BoardId) -> None:
    """Return once the view of a board, if there is one, has everything in its log; see `BoardView.repaired`.

    Raises:
        StoreUnavailable: the log cannot be read.
    """
    view = node.views.loaded(board_id)
    if view is not None:
        await view.repaired()


async def _catch_up(node: Node, after: str | None, now: Position, *board_ids: BoardId) -> None:
    """Read the log if the client has seen more than this node: it may come from another one before the hint does."""
    if after is not None and node.store.is_shared and is_ahead(after, now):
        await node.follower.read_ahead(*board_ids)


def state_of(node: Node, board_id: BoardId) -> Envelope | None:
    """Return the current state of a watched board, None if it is not watched (or deleted)."""
    view = node.views.get(board_id)
    return view.snapshot()[0] if view else None


def _resync_of(view: BoardView) -> Resync:
    async def resync(reason: str, last: str) -> Sequence[Envelope]:
        return envelopes.gap(reason, last, view.position), *view.snapshot()

    return resync


async def _silent(node: Node, live: Subscriber, options: StreamOptions, take: Take) -> Batches:
    """Yield the replies to a subscriber of a deleted board, and plain heartbeats if its stream had heartbeats."""
    beats = node.heartbeats.plain(live) if options.delivery in CHECKED else nullcontext()
    with live.metrics.reading(), beats:
        async with aclosing(_live(node, take, live, options.slow, _nothing, _at_once)) as replies:
            async for batch in replies:
                yield batch
                del batch


async def _nothing(reason: str, last: str) -> Sequence[Envelope]:
    return ()  # only replies to a subscriber of a deleted board were dropped


async def _at_once() -> None:
    """Return at once, because overviews are computed when they are needed."""


async def _live(node: Node, take: Take, live: Subscriber, slow: SlowPolicy, resync: Resync, settle: Settle) -> Batches:
    """Yield the envelopes behind `live.cursor`. If the subscriber was too slow, resync or end, as `slow` says."""
    while True:
        if live:
            await node.turns.room()
        try:
            batch = await take(live)
        except (SubscriberTooSlow, EnvelopesLost) as lost:
            last, reason = live.cursor, _LOST if isinstance(lost, EnvelopesLost) else _SLOW
            await settle()
            try:
                if reason == _SLOW and slow is SlowPolicy.DISCONNECT:
                    raise lost
                live.resume()
            except SubscriberTooSlow as error:
                yield Batch((envelopes.goodbye(_SLOW, SLOW_RECONNECT_MS, last),))
                raise SubscriberTooSlow(str(error), last) from None
            live.last_gap = reason
            # There is no await between `resume` and the resync, so events that it does not include wait behind it.
            batch = Batch(await resync(reason, last))
            live.cursor = batch.cursor or last
        if batch:
            yield batch
        del batch


async def _opening(
    node: Node,
    live: Subscriber,
    after: str | None,
    now: Position,
    replay: Callable[[Position], Stream],
    snapshot: Sequence[Envelope],
) -> Stream:
    """Yield `hello`, and then either the envelopes missed since `after`, or the snapshot."""
    seen, last = now, after
    # Not the error itself: it refers to this frame, and so the snapshot would stay until the next garbage collection.
    reason: str | None = None
    try:
        # `hello` has the old position until the replay is complete, so a client that leaves before that resumes there.
        seen = now if after is None else seen_at(after, now)
    except PositionLost as lost:
        reason = lost.reason
    yield envelopes.hello(node.clock(), seen, node.limits.heartbeat_seconds)
    try:
        async with aclosing(replay(seen)) as replayed:
            async for envelope in replayed:
                last = envelope.cursor
                yield envelope
                await node.turns.room()
    except PositionLost as lost:
        reason = lost.reason
    if reason is not None:
        live.last_gap = reason
        yield envelopes.gap(reason, last or now.cursor, now)
    if after is None or reason is not None:
        for envelope in snapshot:
            yield envelope
