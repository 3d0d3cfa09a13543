"""Response P99 by rate, a line a contender, both axes logarithmic: an SVG that any page can show."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 210, 24, 48
COLOURS = ("#0b6bcb", "#7f7f7f", "#12805c", "#b5480a", "#8a3ffc", "#c4314b", "#5c5400", "#00788a")
TICKS = (1, 2, 5)
GAP = 15.0
"""Least distance of two labels, px."""


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values) / 1.15, max(values) * 1.15


class _Axes:
    """From rate and milliseconds to pixels."""

    def __init__(self, rates: Sequence[float], times_ms: Sequence[float]) -> None:
        self._x, self._y = _ends(rates), _ends(times_ms)

    def x(self, rate_per_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * _place(rate_per_s, self._x)

    def y(self, time_ms: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _place(time_ms, self._y)

    def grid(self) -> list[str]:
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        parts = []
        for value in _ticks(self._x):
            x = self.x(value)
            parts += [_line(x, TOP, x, bottom), _text(x, bottom + 18, f"{value:,.0f}", "middle")]
        for value in _ticks(self._y):
            y = self.y(value)
            parts += [_line(LEFT, y, right, y), _text(LEFT - 8, y + 4, f"{value:,g}", "end")]
        parts.append(_text((LEFT + right) / 2, HEIGHT - 10, "events/s", "middle"))
        parts.append(_text(LEFT - 8, TOP - 8, "P99, ms", "end"))
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


def _lines(content: Mapping[str, Any]) -> list[tuple[str, list[tuple[float, float]]]]:
    """Of each contender its title and the best P99 at each rate."""
    found = []
    for each in content["contenders"]:
        best: dict[float, float] = {}
        for turn in content["turns"]:
            if turn["contender"] == each["name"] and turn["p99_ms"]:
                rate = turn["rate_per_s"]
                best[rate] = min(best.get(rate, math.inf), turn["p99_ms"])
        if best:
            found.append((each["title"], sorted(best.items())))
    return found


def plot(content: Mapping[str, Any], limit_ms: float) -> str:
    """The SVG of a peers.json in which something was measured; the dashed line is the limit of a capacity."""
    lines = _lines(content)
    rates = [rate for _, points in lines for rate, _ in points]
    axes = _Axes(rates, [limit_ms, *(time for _, points in lines for _, time in points)])
    parts = axes.grid()
    parts.append(_line(LEFT, axes.y(limit_ms), WIDTH - RIGHT, axes.y(limit_ms), 'stroke="#c00" stroke-dasharray="5 4"'))
    labels = []
    for place, (title, points) in enumerate(lines):
        colour = COLOURS[place % len(COLOURS)]
        dots = [(axes.x(rate), axes.y(time)) for rate, time in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in dots]
        labels.append((dots[-1][1], title, colour))
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
