"""Conditions and sentences against the columns there are: names, kinds, bounds, words."""

from collections.abc import Mapping, Sequence
from typing import Any

from rules.columns import Column
from rules.language import NESTING_MAX, AllOf, Comparison, Condition, Negation
from rules.marked_yaml import YamlPath
from rules.nearness import nearest
from rules.wording import PLACEHOLDER

_OPERATORS_OF = {
    "number": ("at_least", "above", "at_most", "below", "between", "is_missing"),
    "flag": ("is_true", "is_missing"),
    "category": ("is", "in", "is_missing"),
}


class ConditionCheck:
    """Gathers the faults and warnings of conditions and sentences."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self.faults: list[tuple[YamlPath, str]] = []
        self.warnings: list[tuple[YamlPath, str]] = []

    def sentence(self, text: str, path: YamlPath) -> None:
        """Check the placeholders of a sentence."""
        outside = PLACEHOLDER.sub("", text)
        if "{" in outside or "}" in outside:
            self.faults.append((path, "a brace without its partner"))
        for name in PLACEHOLDER.findall(text):
            self.column(name, path, "in the sentence: ")

    def column(self, name: str, path: YamlPath, where: str = "") -> Column | None:
        """The column of a name; its absence is a fault."""
        column = self.columns.get(name)
        if column is None:
            self.faults.append((path, f"{where}unknown column '{name}'{nearest(name, list(self.columns))}"))
        return column

    def condition(self, condition: Condition, path: YamlPath, depth: int = 1) -> None:
        """Check a condition: its columns, operators, bounds and categories."""
        if depth > NESTING_MAX:
            self.faults.append((path, f"conditions are nested deeper than {NESTING_MAX}"))
        elif isinstance(condition, Comparison):
            self._comparison(condition, path)
        elif isinstance(condition, Negation):
            self.condition(condition.not_, (*path, "not"), depth + 1)
        else:
            key, parts = ("all", condition.all) if isinstance(condition, AllOf) else ("any", condition.any)
            for index, part in enumerate(parts):
                self.condition(part, (*path, key, index), depth + 1)

    def _comparison(self, comparison: Comparison, path: YamlPath) -> None:
        column = self.column(comparison.column, (*path, "column"))
        if column is None:
            return
        operator = comparison.operator
        value = comparison.value(operator)
        if operator not in _OPERATORS_OF[column.kind]:
            known = ", ".join(_OPERATORS_OF[column.kind])
            text = f"is a {column.kind}: '{operator}' does not apply (use {known})"
            self.faults.append(((*path, operator), f"column '{column.name}' {text}"))
        elif column.kind == "number" and operator != "is_missing":
            self._bounds(column, operator, value, (*path, operator))
        elif operator in ("is", "in"):
            self.categories(column, [value] if operator == "is" else value, (*path, operator))

    def _bounds(self, column: Column, operator: str, value: Any, path: YamlPath) -> None:
        named = f"column '{column.name}': "
        for number in value if operator == "between" else [value]:
            if number > column.high:
                self.faults.append((path, f"{named}{number:g} is above its bound {column.high:g}"))
            elif number < column.low:
                self.faults.append((path, f"{named}{number:g} is below its bound {column.low:g}"))
        if operator == "between" and value[0] > value[1]:
            self.faults.append(
                (path, f"{named}between {value[0]:g} and {value[1]:g} is empty: the smaller comes first")
            )
        if (operator == "below" and value == column.low) or (operator == "above" and value == column.high):
            self.faults.append((path, f"{named}{operator} {value:g} is never true: {value:g} is the column's bound"))

    def categories(self, column: Column, values: Sequence[str], path: YamlPath) -> None:
        """Warn of categories that the vocabulary does not hold."""
        for value in values:
            if value not in column.categories:
                hint = nearest(value, column.categories)
                text = (
                    f"column '{column.name}': '{value}' is not in the vocabulary of this data{hint}; it never matches"
                )
                self.warnings.append((path, text))
