"""Values in words: a column's value with its unit, for the sentences of rules."""

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rules.columns import Column

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
"""A column's name in a sentence."""
_PLURALS = frozenset({"transactions", "transfers", "senders", "receivers", "cycles", "accounts", "links"})
_DURATIONS = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"))


def filled(
    sentence: str, columns: Sequence[Column], column_at: Mapping[str, int], values_row: NDArray[np.float32]
) -> str:
    """A sentence with the row's values (float32 [F]) in the place of columns' names."""

    def worded(found: re.Match[str]) -> str:
        index = column_at[found.group(1)]
        return in_words(columns[index], float(values_row[index]))

    return PLACEHOLDER.sub(worded, sentence)


def in_words(column: Column, value: float) -> str:
    """A value as a reader of a decision wants it: '1,250.00', '8 transactions', '12.5 %', '14:30 UTC', 'online'."""
    if math.isnan(value):
        return "unknown"
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "category":
        code = int(value)
        return column.categories[code] if 0 <= code < len(column.categories) else "not in the vocabulary"
    if column.unit == "hours" or (column.unit == "h" and column.high > 24):  # no time of day
        return _duration(3_600 * value)
    return _number(column.unit, value)


def _number(unit: str, value: float) -> str:
    if unit == "money":
        return f"{value:,.2f}"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "h":
        minutes = round(value * 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d} UTC"
    if unit == "s":
        return _duration(value)
    if unit in _PLURALS and value == 1:
        return f"1 {unit.removesuffix('s')}"
    return f"{_short(value)} {unit}".rstrip()


def _duration(seconds: float) -> str:
    for size, word in _DURATIONS:
        if seconds >= size:
            return f"{_short(seconds / size)} {word}"
    return f"{_short(seconds)} s"


def _short(value: float) -> str:
    """Thousands separated; one decimal below 100 where it says something."""
    text = f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return text.removesuffix(".0")
