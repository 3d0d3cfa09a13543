"""A rule file against its columns: names, kinds, bounds, words. Every fault is found, and said with its line."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from rules.columns import Column
from rules.errors import RuleError
from rules.language import NESTING_MAX, AllOf, AnyOf, Comparison, Condition, Negation, Rule, RuleFile
from rules.marked_yaml import MarkedDocument, YamlPath

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

_OPERATORS_OF = {
    "number": ("at_least", "above", "at_most", "below", "between", "is_missing"),
    "flag": ("is_true", "is_missing"),
    "category": ("is", "in", "is_missing"),
}

Say = Callable[[YamlPath, str], None]


def validated(document: MarkedDocument, columns: Sequence[Column]) -> tuple[RuleFile, tuple[str, ...]]:
    """The rule file as types, and its warnings (categories that the vocabulary does not hold).

    Raises `RuleError` with every fault found, each with file, line and rule.
    """
    try:
        file = RuleFile.model_validate(document.data)
    except ValidationError as error:
        raise RuleError([_in_words(document, fault) for fault in error.errors(include_url=False)]) from error
    known = {column.name: column for column in columns}
    faults: list[str] = []
    warnings: list[str] = []
    for path, text in _duplicates(file.rules):
        faults.append(_placed(document, path, text))
    if file.fallback.review > file.fallback.block:
        text = f"review: {file.fallback.review:g} is above block: {file.fallback.block:g}"
        faults.append(_placed(document, ("fallback", "review"), text))
    for index, rule in enumerate(file.rules):
        check = _RuleCheck(rule, known)
        check.run(("rules", index))
        faults += [_placed(document, path, text) for path, text in check.faults]
        warnings += [_placed(document, path, text) for path, text in check.warnings]
    if faults:
        raise RuleError(faults)
    return file, tuple(warnings)


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """Every comparison in a condition, in the order of the file."""
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Negation):
        yield from comparisons(condition.not_)
    else:
        for part in condition.all if isinstance(condition, AllOf) else condition.any:
            yield from comparisons(part)


def nearest(name: str, names: Sequence[str]) -> str:
    """' (did you mean …?)' for a name that is close to one there is, or nothing."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _placed(document: MarkedDocument, path: YamlPath, text: str) -> str:
    rule = _rule_name(document.data, path)
    where = f"{document.source}:{document.line(path)}: "
    return f"{where}rule '{rule}': {text}" if rule else where + text


def _rule_name(data: Any, path: YamlPath) -> str:
    if len(path) < 2 or path[0] != "rules" or not isinstance(path[1], int):
        return ""
    rule = data["rules"][path[1]]
    return str(rule["name"]) if isinstance(rule, dict) and "name" in rule else f"number {path[1] + 1}"


def _in_words(document: MarkedDocument, fault: Any) -> str:
    """pydantic's fault with the path in the file (its own path also names the kinds of condition it went through)."""
    path, rest, data = _walk(document.data, fault["loc"])
    said = _SAID.get(fault["type"])
    text = said(fault) if said else fault["msg"][:1].lower() + fault["msg"][1:]
    key = rest[-1] if rest else (path[-1] if path else None)
    if fault["type"] == "missing":
        text = f"key '{key}' is missing"
    elif isinstance(key, int):
        text = f"item {key + 1} of '{path[-2]}': {text}" if len(path) > 1 else text
    elif key is not None and fault["type"] not in ("extra_forbidden", "operator"):
        text = f"key '{key}': {text}"
    column = data.get("column") if isinstance(data, dict) else None
    return _placed(document, path, f"column '{column}': {text}" if isinstance(column, str) else text)


def _walk(data: Any, location: Sequence[str | int]) -> tuple[YamlPath, Sequence[str | int], Any]:
    """Follow a location as far as the file has it: the path, what is left, and the innermost mapping on the way."""
    path: list[str | int] = []
    rest: list[str | int] = []
    mapping: Any = None
    for step in location:
        here = isinstance(data, dict) and step in data
        there = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if isinstance(data, dict):
            mapping = data
        if here or there:
            data = data[step]
            path.append(step)
            rest = []
        elif step not in _TAGS:
            rest.append(step)
    return tuple(path), rest, data if isinstance(data, dict) else mapping


_TAGS = ("all-of", "any-of", "negation", "comparison")


def _given(fault: Any) -> str:
    value = fault["input"]
    return f"'{value}'" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)


def _unknown_key(fault: Any) -> str:
    tag = next((step for step in reversed(fault["loc"][:-1]) if step in _KEYS), None)
    top = len(fault["loc"]) == 1
    inside = "file" if top else "fallback" if fault["loc"][0] == "fallback" else "rule"
    names = _KEYS[tag] if tag else _KEYS[inside]
    key = str(fault["loc"][-1])
    return f"unknown key '{key}'{nearest(key, names)}; known: {', '.join(names)}"


def _model_keys(model: Any) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


_KEYS: Mapping[str | int, tuple[str, ...]] = {
    "file": _model_keys(RuleFile),
    "fallback": _model_keys(RuleFile.model_fields["fallback"].annotation),
    "rule": _model_keys(Rule),
    "comparison": _model_keys(Comparison),
    "all-of": _model_keys(AllOf),
    "any-of": _model_keys(AnyOf),
    "negation": _model_keys(Negation),
}

_SAID: dict[str, Callable[[Any], str]] = {
    "extra_forbidden": _unknown_key,
    "greater_than_equal": lambda fault: f"{_given(fault)} is below its bound {fault['ctx']['ge']:g}",
    "less_than_equal": lambda fault: f"{_given(fault)} is above its bound {fault['ctx']['le']:g}",
    "float_type": lambda fault: f"{_given(fault)} is no number",
    "int_type": lambda fault: f"{_given(fault)} is no whole number",
    "bool_type": lambda fault: f"{_given(fault)} is neither true nor false",
    "string_type": lambda fault: f"{_given(fault)} is no text (put quotes around it)",
    "list_type": lambda fault: f"{_given(fault)} is no list",
    "finite_number": lambda fault: f"{_given(fault)} is no finite number",
    "string_pattern_mismatch": lambda fault: f"{_given(fault)} does not match {fault['ctx']['pattern']}",
    "literal_error": lambda fault: f"{_given(fault)} is not one of {fault['ctx']['expected']}",
    "model_type": lambda fault: f"{_given(fault)} is no mapping of keys to values",
    "model_attributes_type": lambda fault: f"{_given(fault)} is no mapping of keys to values",
    "too_short": lambda fault: (
        f"{fault['ctx']['actual_length']} items are too few: at least {fault['ctx']['min_length']}"
    ),
    "too_long": lambda fault: (
        f"{fault['ctx']['actual_length']} items are too many: at most {fault['ctx']['max_length']}"
    ),
    "string_too_short": lambda _: "is empty",
    "string_too_long": lambda fault: f"is longer than {fault['ctx']['max_length']} characters",
    "recursion_loop": lambda _: f"conditions are nested deeper than {NESTING_MAX}",
}


def _duplicates(rules: Sequence[Rule]) -> Iterator[tuple[YamlPath, str]]:
    for key in ("name", "priority", "code"):
        first: dict[str | int, str] = {}
        for index, rule in enumerate(rules):
            value = getattr(rule, key)
            if value in first:
                yield ("rules", index, key), f"{key} {value!r} is already that of rule '{first[value]}'"
            first.setdefault(value, rule.name)


class _RuleCheck:
    """Gathers the faults and warnings of one rule."""

    def __init__(self, rule: Rule, columns: Mapping[str, Column]) -> None:
        self.rule = rule
        self.columns = columns
        self.faults: list[tuple[YamlPath, str]] = []
        self.warnings: list[tuple[YamlPath, str]] = []

    def run(self, path: YamlPath) -> None:
        self._condition(self.rule.when, (*path, "when"), 1)
        outside = PLACEHOLDER.sub("", self.rule.sentence)
        if "{" in outside or "}" in outside:
            self.faults.append(((*path, "sentence"), "a brace without its partner"))
        for name in PLACEHOLDER.findall(self.rule.sentence):
            self._column(name, (*path, "sentence"), "in the sentence: ")

    def _column(self, name: str, path: YamlPath, where: str = "") -> Column | None:
        column = self.columns.get(name)
        if column is None:
            self.faults.append((path, f"{where}unknown column '{name}'{nearest(name, list(self.columns))}"))
        return column

    def _condition(self, condition: Condition, path: YamlPath, depth: int) -> None:
        if depth > NESTING_MAX:
            self.faults.append((path, f"conditions are nested deeper than {NESTING_MAX}"))
        elif isinstance(condition, Comparison):
            self._comparison(condition, path)
        elif isinstance(condition, Negation):
            self._condition(condition.not_, (*path, "not"), depth + 1)
        else:
            key, parts = ("all", condition.all) if isinstance(condition, AllOf) else ("any", condition.any)
            for index, part in enumerate(parts):
                self._condition(part, (*path, key, index), depth + 1)

    def _comparison(self, comparison: Comparison, path: YamlPath) -> None:
        column = self._column(comparison.column, (*path, "column"))
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
            self._categories(column, [value] if operator == "is" else value, (*path, operator))

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

    def _categories(self, column: Column, values: Sequence[str], path: YamlPath) -> None:
        for value in values:
            if value not in column.categories:
                hint = nearest(value, column.categories)
                text = (
                    f"column '{column.name}': '{value}' is not in the vocabulary of this data{hint}; it never matches"
                )
                self.warnings.append((path, text))
