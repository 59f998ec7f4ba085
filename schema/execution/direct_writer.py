"""Where the events of a subscription go past its generators: encoded by plan, written by the transport."""

from __future__ import annotations

from realtime.messages.batches import Batch
from schema.execution.context import Context, ResultWriter
from schema.execution.event_selector import BatchEncoding

__all__ = ["ResultOutlet"]


class ResultOutlet:
    """Writes what a subscription has to tell of a batch, while its generators sleep.

    Of equal subscriptions the first one encodes. What has no plan, or is not as the plan expects it, is left to the
    generators and to graphql-core, which knows what to say of it.
    """

    __slots__ = ("_context", "_encoding", "_write_nowait")

    def __init__(self, context: Context, write_nowait: ResultWriter) -> None:
        """Tell the batches of the operation that has `context`."""
        self._context = context
        self._write_nowait = write_nowait
        self._encoding: BatchEncoding | None = None

    def write_nowait(self, batch: Batch) -> bool:
        """Write the results of `batch`; see `realtime.fanout.subscriber.DirectWriter`."""
        if self._encoding is None:
            if self._context.encoding is None:
                return False
            self._encoding = BatchEncoding(self._context.encoding)
        results = batch.cached(self._encoding)
        if results is None or (results and not self._write_nowait(results)):
            return False
        self._context.metrics.counters.sent += len(results)
        return True
