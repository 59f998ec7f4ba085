"""Direct writes for subscriptions: events are encoded by a plan and written by the transport, without generators."""

from __future__ import annotations

from realtime.messages.batches import Batch
from schema.execution.context import Context, ResultWriter
from schema.execution.event_selector import BatchEncoding

__all__ = ["DirectResultWriter"]


class DirectResultWriter:
    """Writes the results of a subscription for a batch, while its generators sleep.

    The first of equal subscriptions encodes the results for all. The generators and graphql-core handle events that
    have no plan or that the plan does not cover.
    """

    __slots__ = ("_context", "_counts", "_encoding", "_write_nowait")

    def __init__(self, context: Context, write_nowait: ResultWriter) -> None:
        """Write the results of the operation with `context`."""
        self._context = context
        self._write_nowait = write_nowait
        self._encoding: BatchEncoding | None = None
        self._counts = context.metrics.counts

    def write_nowait(self, batch: Batch) -> bool:
        """Write the results of `batch`; see `realtime.fanout.subscriber.DirectWriter`."""
        if self._encoding is None:
            if self._context.encoding is None:
                return False
            self._encoding = BatchEncoding(self._context.encoding)
        results = batch.cached(self._encoding)
        if results is None or (results and not self._write_nowait(results)):
            return False
        self._counts.sent_results(len(results), batch)
        return True
