"""A rule file against its columns: every fault is found, and said with its line."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from rules.columns import Column
from rules.condition_checks import ConditionCheck
from rules.errors import RuleError
from rules.fault_words import FaultWords, model_keys
from rules.language import AllOf, Comparison, Condition, Fallback, Negation, Rule, RuleFile
from rules.marked_yaml import MarkedDocument, YamlPath


def validated(document: MarkedDocument, columns: Sequence[Column]) -> tuple[RuleFile, tuple[str, ...]]:
    """The rule file as types, and its warnings (categories that the vocabulary does not hold).

    Raises `RuleError` with every fault found, each with file, line and rule.
    """
    words = FaultWords(document, _subject, _known_keys)
    try:
        file = RuleFile.model_validate(document.data)
    except ValidationError as error:
        raise RuleError([words.said(fault) for fault in error.errors(include_url=False)]) from error
    known = {column.name: column for column in columns}
    faults: list[str] = []
    warnings: list[str] = []
    for path, text in _duplicates(file.rules):
        faults.append(words.placed(path, text))
    if file.fallback.review > file.fallback.block:
        text = f"review: {file.fallback.review:g} is above block: {file.fallback.block:g}"
        faults.append(words.placed(("fallback", "review"), text))
    for index, rule in enumerate(file.rules):
        check = ConditionCheck(known)
        check.condition(rule.when, ("rules", index, "when"))
        check.sentence(rule.sentence, ("rules", index, "sentence"))
        faults += [words.placed(path, text) for path, text in check.faults]
        warnings += [words.placed(path, text) for path, text in check.warnings]
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


def _subject(data: Any, path: YamlPath) -> str:
    if len(path) < 2 or path[0] != "rules" or not isinstance(path[1], int):
        return ""
    rule = data["rules"][path[1]]
    name = str(rule["name"]) if isinstance(rule, dict) and "name" in rule else f"number {path[1] + 1}"
    return f"rule '{name}'"


def _known_keys(location: Sequence[str | int]) -> tuple[str, ...]:
    if len(location) == 1:
        return model_keys(RuleFile)
    return model_keys(Fallback if location[0] == "fallback" else Rule)


def _duplicates(rules: Sequence[Rule]) -> Iterator[tuple[YamlPath, str]]:
    for key in ("name", "priority", "code"):
        first: dict[str | int, str] = {}
        for index, rule in enumerate(rules):
            value = getattr(rule, key)
            if value in first:
                yield ("rules", index, key), f"{key} {value!r} is already that of rule '{first[value]}'"
            first.setdefault(value, rule.name)
