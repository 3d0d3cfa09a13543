"""The columns a rule may speak of. They are passed in: rules know nothing of the features' kernel."""

from dataclasses import dataclass
from typing import Literal

from streams.causes import Cause

ColumnKind = Literal["number", "flag", "category"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the float32 matrix that rules see; NaN means that the value is not known.

    `low` and `high` bound what a number can hold: a rule that compares with a value outside them is refused. `unit` is
    its word for sentences (`money`, `transactions`, `share`, `h`, `s`, `km`, `km/h`, `times`, `days`). `categories` is
    the vocabulary: the column holds the index of the category in it, and -1 for one that it does not know. `family` is
    the evidence it belongs to, where that is known.
    """

    name: str
    kind: ColumnKind
    low: float
    high: float
    categories: tuple[str, ...] = ()
    unit: str = ""
    family: Cause | None = None
