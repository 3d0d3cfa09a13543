"""A typology file against the columns and markets there are: every fault is found, and said with its line."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from rules.columns import Column
from rules.condition_checks import ConditionCheck
from rules.errors import RuleError
from rules.fault_words import FaultWords, model_keys
from rules.marked_yaml import MarkedDocument, YamlPath
from rules.nearness import nearest
from rules.typologies.language import Band, BandedRule, MarketOverride, RuleOverride, TypologyFile

DOLLARS = "US dollars"
"""Unit of columns whose bands may be multiples of the market's reporting threshold."""


def validated(
    document: MarkedDocument, columns: Sequence[Column], markets: Collection[str]
) -> tuple[TypologyFile, tuple[str, ...]]:
    """The typology file as types, and its warnings (categories that the vocabulary does not hold).

    Raises `RuleError` with every fault found, each with file, line, market and rule.
    """
    words = FaultWords(document, _subject, _known_keys)
    try:
        file = TypologyFile.model_validate(document.data)
    except ValidationError as error:
        raise RuleError([words.said(fault) for fault in error.errors(include_url=False)]) from error
    check = _TypologyCheck(file, {column.name: column for column in columns}, markets)
    check.run()
    if check.faults:
        raise RuleError([words.placed(path, text) for path, text in check.faults])
    return file, tuple(words.placed(path, text) for path, text in check.warnings)


def overridden(rule: BandedRule, override: MarketOverride | None) -> BandedRule:
    """A rule as a market has it."""
    changed = override.rules.get(rule.name) if override else None
    return rule.model_copy(update={"bands": changed.bands}) if changed else rule


def weight_max(rules: Sequence[BandedRule]) -> float:
    """The highest sum of weights there can be."""
    return sum(max(0.0, *(band.weight for band in rule.bands)) for rule in rules)


def _subject(data: Any, path: YamlPath) -> str:
    parts = []
    if len(path) > 1 and path[0] == "markets":
        parts.append(f"market '{path[1]}'")
        if len(path) > 3 and path[2] == "rules":
            parts.append(f"rule '{path[3]}'")
    elif len(path) > 1 and path[0] == "rules" and isinstance(path[1], int):
        rule = data["rules"][path[1]]
        named = isinstance(rule, dict) and "name" in rule
        parts.append(f"rule '{rule['name']}'" if named else f"rule 'number {path[1] + 1}'")
    return ", ".join(parts)


def _known_keys(location: Sequence[str | int]) -> tuple[str, ...]:
    if "bands" in location[:-1]:
        return model_keys(Band)
    if location[0] == "markets":
        return model_keys(MarketOverride if len(location) <= 3 else RuleOverride)
    return model_keys(BandedRule if location[0] == "rules" and len(location) > 1 else TypologyFile)


class _TypologyCheck:
    """Gathers the faults and warnings of one file."""

    def __init__(self, file: TypologyFile, columns: Mapping[str, Column], markets: Collection[str]) -> None:
        self.file = file
        self.markets = markets
        self.condition = ConditionCheck(columns)
        self.faults: list[tuple[YamlPath, str]] = self.condition.faults
        self.warnings = self.condition.warnings

    def run(self) -> None:
        if self.file.when is not None:
            self.condition.condition(self.file.when, ("when",))
        self.faults += _duplicates(self.file.rules)
        for index, rule in enumerate(self.file.rules):
            self._rule(rule, ("rules", index))
        self._weights(self.file.rules, ("rules",))
        for market, override in self.file.markets.items():
            self._market(market, override)

    def _market(self, market: str, override: MarketOverride) -> None:
        path: YamlPath = ("markets", market)
        if market not in self.markets:
            self.faults.append((path, f"unknown market{nearest(market, sorted(self.markets))}"))
        names = [rule.name for rule in self.file.rules]
        for name in override.rules:
            if name not in names:
                text = f"unknown rule '{name}'{nearest(name, names)}; known: {', '.join(names)}"
                self.faults.append(((*path, "rules", name), text))
        changed = [overridden(rule, override) for rule in self.file.rules]
        for rule in changed:
            if rule.name in override.rules:
                self._bands(rule, (*path, "rules", rule.name))
        self._weights(changed, path)

    def _rule(self, rule: BandedRule, path: YamlPath) -> None:
        column = self.condition.column(rule.column, (*path, "column"))
        if column is None:
            return
        if rule.in_thresholds and column.unit != DOLLARS:
            text = f"column '{column.name}' is not in US dollars: its bands cannot be multiples of the threshold"
            self.faults.append(((*path, "in_thresholds"), text))
        self._bands(rule, path)

    def _bands(self, rule: BandedRule, path: YamlPath) -> None:
        column = self.condition.columns.get(rule.column)
        if column is None:
            return
        for index, band in enumerate(rule.bands):
            here = (*path, "bands", index)
            self.condition.sentence(band.reason, (*here, "reason"))
            if band.way not in (column.kind, "missing"):
                text = f"column '{column.name}' is a {column.kind}: a band for a {band.way} does not apply"
                self.faults.append((here, text))
            elif band.way == "number":
                self._interval(band, column, math.inf if rule.in_thresholds else column.high, here)
            elif band.in_ is not None:
                self.condition.categories(column, band.in_, (*here, "in"))
        self._overlaps(rule, path)

    def _interval(self, band: Band, column: Column, column_high: float, path: YamlPath) -> None:
        low, high = span(band)
        if low >= high:
            self.faults.append((path, f"from {low:g} to {high:g} is empty: from is below to"))
        elif low > column_high or high <= column.low:
            text = f"from {low:g} to {high:g} is outside its bounds {column.low:g} and {column_high:g}"
            self.faults.append((path, f"column '{column.name}': {text}"))

    def _overlaps(self, rule: BandedRule, path: YamlPath) -> None:
        for index, band in enumerate(rule.bands):
            for before in rule.bands[:index]:
                if _overlap(before, band):
                    self.faults.append(((*path, "bands", index), f"{_said(band)} overlaps with {_said(before)}"))
                    break

    def _weights(self, rules: Sequence[BandedRule], path: YamlPath) -> None:
        if weight_max(rules) <= 0:
            self.faults.append((path, "no band has a weight above 0: the score would always be 0"))


def span(band: Band) -> tuple[float, float]:
    """A band of numbers: from (included), to (not included)."""
    return -math.inf if band.from_ is None else band.from_, math.inf if band.to is None else band.to


def _overlap(one: Band, other: Band) -> bool:
    if one.way != other.way:
        return False
    if one.way == "missing":
        return True
    if one.way == "flag":
        return one.is_true == other.is_true
    if one.in_ is not None and other.in_ is not None:
        return bool(set(one.in_) & set(other.in_))
    (low, high), (other_low, other_high) = span(one), span(other)
    return max(low, other_low) < min(high, other_high)


def _said(band: Band) -> str:
    if band.way == "number":
        low, high = span(band)
        return f"band {low:g} to {high:g}"
    if band.way == "missing":
        return "band is_missing: true"
    return f"band is_true: {str(band.is_true).lower()}" if band.way == "flag" else f"band in {band.in_}"


def _duplicates(rules: Sequence[BandedRule]) -> Iterator[tuple[YamlPath, str]]:
    for key in ("name", "code"):
        first: dict[str, str] = {}
        for index, rule in enumerate(rules):
            value = getattr(rule, key)
            if value in first:
                yield ("rules", index, key), f"{key} {value!r} is already that of rule '{first[value]}'"
            first.setdefault(value, rule.name)
