"""How the cost of one delivered message grows with the subscribers of a board and with its cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.cases import Run
from tests.bench.checks import number
from tests.bench.exits import board_socket, board_stream, graphql_events, graphql_socket, titles_socket
from tests.bench.measures import CPU, FanOut, Opener, RenamedCard
from tests.bench.report import Rows
from tests.bench.servers import BOARDCAST, Servers
from tests.bench.writing import REQUEST_CPU, MakeRequest, Writes, card_titles, log_lines

__all__ = ["Growth", "Medians", "growth_rows", "growths", "measure_growth"]

#: Series → size → the median of its figure.
Medians = Mapping[str, Mapping[int, float]]

_SUBSCRIBERS = (10, 100, 1000, 4000)
_CARDS = (2, 20, 200, 2000)
_WRITERS = (1, 8, 64, 512)
_QUICK_SIZES = (2, 4)
#: Subscribers to states, and renamed titles.
_STATE_SUBSCRIBERS, _RENAMED = 100, 5
#: Messages delivered at each number of subscribers: enough to measure, and not too many for large numbers.
_DELIVERED, _MOST_LINES, _LEAST_LINES = 40_000, 500, 20


@dataclass(frozen=True)
class Growth:
    """Some series of runs at the same sizes."""

    #: The stem of its file name.
    name: str
    title: str
    size_label: str
    sizes: Sequence[int]
    #: Name of the series → size → the measurement.
    series: Mapping[str, Callable[[int], Run]]
    #: The figure of a run that is shown.
    figure: str = CPU


def growths(*, quick: bool = False) -> list[Growth]:
    """Return the measurements. `quick`: so small that the figures mean nothing."""
    deliver = 20 if quick else _DELIVERED
    subscribers = 2 if quick else _STATE_SUBSCRIBERS
    return [
        Growth(
            "growth-subscribers",
            "One attempt_log of 200 bytes a request, by subscribers of the board",
            "subscribers",
            _QUICK_SIZES if quick else _SUBSCRIBERS,
            {
                "raw WebSocket": _lines(board_socket, deliver),
                "raw SSE": _lines(board_stream, deliver),
                "GraphQL boardEvents": _lines(graphql_events, deliver),
            },
        ),
        Growth(
            "growth-cards",
            f"A title changed, {subscribers} subscribers, by cards of the board",
            "cards",
            _QUICK_SIZES if quick else _CARDS,
            {
                "raw WebSocket, state": _titles(titles_socket, subscribers),
                "raw WebSocket, changes": _titles(lambda board: titles_socket(board, "&delivery=changes"), subscribers),
                "GraphQL boardState": _titles(graphql_socket, subscribers),
            },
        ),
        Growth(
            "growth-writers",
            "One change a request, by connections that write at the same time",
            "connections",
            _QUICK_SIZES if quick else _WRITERS,
            {
                "POST of an attempt_log": _writes(log_lines, deliver),
                "PATCH of a card, a board for each": _writes(card_titles, deliver),
            },
            REQUEST_CPU,
        ),
    ]


def _writes(make: MakeRequest, deliver: int) -> Callable[[int], Run]:
    def at(connections: int) -> Run:
        boards = 1 if make is log_lines else connections
        return Writes(make, connections, max(5, deliver // 10 // connections), boards, cards=2).run

    return at


def _lines(opener: Opener, deliver: int) -> Callable[[int], Run]:
    def at(subscribers: int) -> Run:
        lines = min(_MOST_LINES, max(_LEAST_LINES, deliver // subscribers))
        return FanOut(opener, subscribers, min(lines, deliver), batch=1).run

    return at


def _titles(opener: Opener, subscribers: int) -> Callable[[int], Run]:
    return lambda cards: RenamedCard(opener, subscribers, cards, _RENAMED).run


async def measure_growth(growth: Growth, runs: int, servers: Servers, *, warm: bool = True) -> Medians:
    """Return the figure of each series and size. The sizes alternate, after one warm-up pass if `warm`.

    Raises:
        MessageFault: a subscriber did not get what it should.
    """
    server = await servers.get(BOARDCAST)
    taken: dict[str, dict[int, list[float]]] = {name: {size: [] for size in growth.sizes} for name in growth.series}
    for turn in range(0 if warm else 1, runs + 1):
        for name, at in growth.series.items():
            for size in growth.sizes:
                cost = (await at(size)(server))[growth.figure]
                if turn > 0:
                    taken[name][size].append(cost)
    return {name: {size: median(costs) for size, costs in sizes.items()} for name, sizes in taken.items()}


def growth_rows(growth: Growth, medians: Medians) -> Rows:
    """Return one row per series, one column per size."""
    head = [growth.figure, *(f"{size:,} {growth.size_label}" for size in growth.sizes)]
    return [head, *([name, *(number(costs[size]) for size in growth.sizes)] for name, costs in medians.items())]
