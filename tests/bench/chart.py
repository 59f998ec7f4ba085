"""A chart as SVG: lines over two logarithmic axes, on a light panel that suits any background."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

__all__ = ["Axis", "chart"]

_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 24, 88, 56
#: Colours that colour-blind people can distinguish (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_PAPER, _INK, _GRID = "#ffffff", "#24292f", "#d8dee4"
_FONT = f'font-family="system-ui, sans-serif" font-size="13" fill="{_INK}"'


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis between two powers of ten."""

    lowest: int
    highest: int
    #: The coordinates of its two ends in the picture.
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float) -> Axis:
        """Return the axis that holds all values, which must be above zero. It spans at least one power of ten."""
        logs = [log10(value) for value in values]
        lowest, highest = floor(min(logs)), ceil(max(logs))
        return cls(lowest, max(highest, lowest + 1), start, end)

    def at(self, value: float) -> float:
        """Return the coordinate of a value."""
        return self.start + (log10(value) - self.lowest) / (self.highest - self.lowest) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the powers of ten."""
        return [10.0**power for power in range(self.lowest, self.highest + 1)]


def chart(title: str, x_label: str, y_label: str, series: Mapping[str, Mapping[int, float]]) -> str:
    """Return the picture of some series (name → x → y, all above zero)."""
    x = Axis.over((at for points in series.values() for at in points), _LEFT, _WIDTH - _RIGHT)
    y = Axis.over((value for points in series.values() for value in points.values()), _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{_PAPER}"/>',
        _text(_LEFT, 28, title, "start", ' font-size="16" font-weight="600"'),
        *_grid(x, y),
        _text((x.start + x.end) / 2, _HEIGHT - 14, x_label, "middle"),
        _text(0, 0, y_label, "middle", f' transform="translate(20 {(y.start + y.end) / 2:.1f}) rotate(-90)"'),
        *(_line(number, name, points, x, y) for number, (name, points) in enumerate(series.items())),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(x: Axis, y: Axis) -> Iterable[str]:
    for tick in x.ticks():
        at = x.at(tick)
        yield f'<path d="M{at:.1f} {y.start}V{y.end}" stroke="{_GRID}"/>'
        yield _text(at, y.start + 20, f"{tick:,.10g}", "middle")
    for tick in y.ticks():
        at = y.at(tick)
        yield f'<path d="M{x.start} {at:.1f}H{x.end}" stroke="{_GRID}"/>'
        yield _text(x.start - 8, at + 4, f"{tick:,.10g}", "end")


def _line(number: int, name: str, points: Mapping[int, float], x: Axis, y: Axis) -> str:
    colour, places = _COLOURS[number % len(_COLOURS)], [(x.at(at), y.at(value)) for at, value in points.items()]
    path = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    dots = "".join(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="4"/>' for left, top in places)
    legend = _LEFT + number * (_WIDTH - _LEFT - _RIGHT) / 3
    return (
        f'<g fill="{colour}"><polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'
        f'<circle cx="{legend + 5:.1f}" cy="54" r="5"/></g>{_text(legend + 16, 58, name, "start")}'
    )


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'
