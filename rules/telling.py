"""Which column of a rule's condition tells most: whose family of evidence the rule's reason names."""

from collections.abc import Mapping

from rules.checks import comparisons
from rules.columns import Column
from rules.language import Comparison, Condition
from streams.causes import Cause


def cause_of(condition: Condition, columns: Mapping[str, Column]) -> Cause | None:
    """The family of the first column that is asked for something out of the ordinary; else of the first one.

    What a rule is about and what it is narrowed down to stand side by side in a condition: a category (a channel) and
    what must not be or be known only narrow.
    """
    asked = list(comparisons(condition))
    telling = next((each for each in asked if not _narrows(each, columns[each.column])), asked[0])
    return columns[telling.column].family


def _narrows(comparison: Comparison, column: Column) -> bool:
    return column.kind == "category" or comparison.is_true is False or comparison.is_missing is not None
