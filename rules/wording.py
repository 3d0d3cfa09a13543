"""Values in words: a column's value with its unit, for the sentences of rules."""

import math

from rules.columns import Column

_DURATIONS = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"))


def in_words(column: Column, value: float) -> str:
    """A value as a reader of a decision wants it: '1,250.00', '8 transactions', '12.5 %', '14:30 UTC', 'online'."""
    if math.isnan(value):
        return "unknown"
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "category":
        code = int(value)
        return column.categories[code] if 0 <= code < len(column.categories) else "not in the vocabulary"
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
    if unit == "transactions" and value == 1:
        return "1 transaction"
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
