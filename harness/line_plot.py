"""Lines with titles at their ends, both axes logarithmic: an SVG that any page can show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 210, 24, 48
COLOURS = ("#0b6bcb", "#7f7f7f", "#12805c", "#b5480a", "#8a3ffc", "#c4314b", "#5c5400", "#00788a")
TICKS = (1, 2, 5)
GAP = 15.0
"""Least distance of two labels, px."""


@dataclass(frozen=True, slots=True)
class Line:
    """A title and at least one point, both coordinates above 0."""

    title: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis says, and how it writes a number (a format specification)."""

    title: str
    number: str


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values) / 1.15, max(values) * 1.15


class _Axes:
    """From values to pixels."""

    def __init__(self, across: Sequence[float], up: Sequence[float]) -> None:
        self._x, self._y = _ends(across), _ends(up)

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * _place(value, self._x)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _place(value, self._y)

    def grid(self, across: Axis, up: Axis) -> list[str]:
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        parts = []
        for value in _ticks(self._x):
            x = self.x(value)
            parts += [_line(x, TOP, x, bottom), _text(x, bottom + 18, format(value, across.number), "middle")]
        for value in _ticks(self._y):
            y = self.y(value)
            parts += [_line(LEFT, y, right, y), _text(LEFT - 8, y + 4, format(value, up.number), "end")]
        parts.append(_text((LEFT + right) / 2, HEIGHT - 10, across.title, "middle"))
        parts.append(_text(LEFT - 8, TOP - 8, up.title, "end"))
        return parts


def _place(value: float, ends: tuple[float, float]) -> float:
    low, high = map(math.log, ends)
    return (math.log(value) - low) / (high - low)


def _ticks(ends: tuple[float, float]) -> list[float]:
    first, last = (math.floor(math.log10(end)) for end in ends)
    values = [tick * 10.0**power for power in range(first, last + 1) for tick in TICKS]
    return [value for value in values if ends[0] <= value <= ends[1]]


def _line(x1: float, y1: float, x2: float, y2: float, style: str = 'stroke="#e4e4e4"') -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _text(x: float, y: float, words: str, anchor: str, fill: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'


def draw(lines: Sequence[Line], across: Axis, up: Axis, limit: float | None = None) -> str:
    """The SVG of one line or more; a dashed line stands at the limit."""
    points = [point for line in lines for point in line.points]
    bound = [] if limit is None else [limit]
    axes = _Axes([x for x, _ in points], [*bound, *(y for _, y in points)])
    parts = axes.grid(across, up)
    parts += [_line(LEFT, axes.y(y), WIDTH - RIGHT, axes.y(y), 'stroke="#c00" stroke-dasharray="5 4"') for y in bound]
    labels = []
    for place, line in enumerate(lines):
        colour = COLOURS[place % len(COLOURS)]
        dots = [(axes.x(x), axes.y(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in dots]
        labels.append((dots[-1][1], line.title, colour))
    parts += _labels(labels)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _labels(labels: Sequence[tuple[float, str, str]]) -> list[str]:
    """At the right, as near to the lines' ends as they fit."""
    ordered = sorted(labels)
    places = apart([y for y, _, _ in ordered])
    return [
        _text(WIDTH - RIGHT + 10, place + 4, title, "start", colour)
        for place, (_, title, colour) in zip(places, ordered, strict=True)
    ]


def apart(wanted: Sequence[float]) -> list[float]:
    """Ascending heights (px), each at least `GAP` below the one before, as near to those wanted as that allows, none
    below the axes."""
    places: list[float] = []
    for y in wanted:
        places.append(max(y, places[-1] + GAP) if places else y)
    lowest = float(HEIGHT - BOTTOM)
    for place in reversed(range(len(places))):
        places[place] = min(places[place], lowest)
        lowest = places[place] - GAP
    return places
