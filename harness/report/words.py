"""Numbers as people read them. Everything that cannot be known reads as a dash."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

DASH = "–"


def ms(value: float | None) -> str:
    """Milliseconds with three significant digits, in seconds from 2 s on."""
    if value is None:
        return DASH
    if abs(value) >= 2_000:
        return f"{significant(value / 1_000)} s"
    return f"{significant(value)} ms"


def significant(value: float | None) -> str:
    """About three significant digits, never in exponent notation."""
    if value is None:
        return DASH
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 or size == 0 else 3
    return f"{value:,.{places}f}"


def share(value: float | None, places: int = 1) -> str:
    """A share as per cent."""
    if value is None:
        return DASH
    if 0 < abs(value) < 0.001:
        places = max(places, 2)
    return f"{100 * value:.{places}f}%"


def score(value: float | None) -> str:
    """A quality figure between 0 and 1, three places, as the literature prints it."""
    return DASH if value is None else f"{value:.3f}"


def interval(row: Mapping[str, Any], key: str, spoken_as: Callable[[float | None], str]) -> str:
    """`low–high` of a figure whose interval stands beside it, as `<key>_low` and `<key>_high` or `low` and `high`."""
    low, high = (row.get(f"{key}_{end}", row.get(end)) for end in ("low", "high"))
    return DASH if low is None or high is None else f"{spoken_as(low)}–{spoken_as(high)}"


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return DASH if value is None else f"{int(value):,}"


def rate(value: float | None) -> str:
    """Events per second."""
    return DASH if value is None else f"{significant(value)}/s"


def size(value: float | None) -> str:
    """Bytes as MB or GB (powers of ten)."""
    if value is None:
        return DASH
    return f"{value / 1e9:,.1f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"


def spoken(name: str) -> str:
    """`account_takeover` as `account takeover`."""
    return name.replace("_", " ")


def moment(text: str | None) -> str:
    """An ISO instant as `2 January 2026, 03:04:05 UTC`."""
    if not text:
        return DASH
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    instant = instant.astimezone(dt.UTC) if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
    return f"{instant.day} {instant:%B %Y, %H:%M:%S} UTC"
