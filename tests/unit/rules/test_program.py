"""The compiled program against a slow evaluation that is obviously right: Kleene's three values, one row at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter

from rules.columns import Column
from rules.language import AllOf, AnyOf, Comparison, Condition, Negation, Rule
from rules.pack import RulePack
from rules.program import compile_rules
from tests.unit.rules.conftest import COLUMNS

INDEX = {column.name: index for index, column in enumerate(COLUMNS)}
CATEGORIES = ("chip", "contactless", "online", "atm")
NAN = float("nan")


def kleene(condition: Condition, row: NDArray[np.float32]) -> bool | None:
    """True, false, or None for unknown."""
    if isinstance(condition, Negation):
        inner = kleene(condition.not_, row)
        return None if inner is None else not inner
    if isinstance(condition, AllOf):
        parts = [kleene(part, row) for part in condition.all]
        return False if False in parts else None if None in parts else True
    if isinstance(condition, AnyOf):
        parts = [kleene(part, row) for part in condition.any]
        return True if True in parts else None if None in parts else False
    return compare(condition, row[INDEX[condition.column]])


def compare(comparison: Comparison, value: np.float32) -> bool | None:
    if comparison.is_missing is not None:
        return bool(np.isnan(value)) == comparison.is_missing
    if np.isnan(value):
        return None
    if comparison.is_ is not None or comparison.in_ is not None:
        return among([comparison.is_] if comparison.is_ is not None else list(comparison.in_ or []), int(value))
    if comparison.is_true is not None:
        return bool(value == 1) == comparison.is_true
    operator = comparison.operator
    if operator == "between":
        low, high = (np.float32(bound) for bound in comparison.value(operator))
        return bool(low <= value <= high)
    bound = np.float32(comparison.value(operator))
    return bool(
        {"at_least": value >= bound, "above": value > bound, "at_most": value <= bound, "below": value < bound}[
            operator
        ]
    )


def among(wanted: list[str], code: int) -> bool | None:
    if code < 0:  # some category that the vocabulary does not hold: it may be one of the wanted ones that it lacks too
        return None if any(name not in CATEGORIES for name in wanted) else False
    return CATEGORIES[code] in wanted


amounts = st.sampled_from([0.0, 0.1, 1.0, 9.99, 10.0, 250.0, 16_777_217.0])
hours = st.sampled_from([0.0, 5.5, 12.0, 24.0])
names = st.sampled_from([*CATEGORIES, "carrier_pigeon"])
one_sided = st.sampled_from(["at_least", "above", "at_most", "below"])
missing = st.builds(
    lambda column, flag: {"column": column, "is_missing": flag}, st.sampled_from(list(INDEX)), st.booleans()
)
comparisons = st.one_of(
    st.builds(lambda operator, bound: {"column": "amount", operator: bound}, one_sided, amounts),
    st.builds(lambda operator, bound: {"column": "hour", operator: bound}, one_sided, hours),
    st.builds(
        lambda bounds: {"column": "amount", "between": sorted(bounds)}, st.lists(amounts, min_size=2, max_size=2)
    ),
    st.builds(lambda flag: {"column": "is_new_device", "is_true": flag}, st.booleans()),
    st.builds(lambda name: {"column": "channel", "is": name}, names),
    st.builds(lambda chosen: {"column": "channel", "in": chosen}, st.lists(names, min_size=1, max_size=3)),
    missing,
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=12,
)
near_amounts = amounts.flatmap(
    lambda value: st.sampled_from([value, float(np.nextafter(np.float32(value), np.float32(np.inf)))])
)
rows = st.tuples(
    st.one_of(near_amounts, st.just(NAN)),
    st.one_of(hours, st.just(NAN)),
    st.just(3.0),
    st.sampled_from([0.0, 1.0, NAN]),
    st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0, NAN]),
)

adapter: TypeAdapter[Condition] = TypeAdapter(Condition)


def rule_of(number: int, when: Any, outcome: str = "block") -> Rule:
    keys = {"name": f"rule_{number}", "priority": number + 1, "code": f"R{number}", "sentence": "x"}
    return Rule.model_validate({**keys, "outcome": outcome, "score": 0.5, "when": when})


def fired(condition: Any, row: tuple[float, ...], *before: Any) -> bool:
    """Whether the last of some rules fires on one row."""
    rules = [rule_of(number, when) for number, when in enumerate([*before, condition])]
    return bool(fired_by(rules, np.array([row], dtype=np.float32))[0, -1])


def fired_by(rules: list[Rule], values: NDArray[np.float32]) -> NDArray[np.bool_]:
    from rules.kernel import run_rules

    program = compile_rules(rules, COLUMNS, [3] * len(rules))
    found = np.empty((len(values), len(rules)), dtype=np.bool_)
    outcome, deciding = np.empty(len(values), np.int8), np.empty(len(values), np.int16)
    score = np.empty(len(values))
    arrays = (program.tests, program.bounds, program.members, program.starts, program.outcomes, program.scores)
    run_rules(values, *arrays, found, outcome, deciding, score)
    return found


@settings(max_examples=400)
@given(st.lists(conditions, min_size=1, max_size=4), st.lists(rows, min_size=1, max_size=6))
def test_a_rule_fires_where_its_condition_is_true_and_not_where_it_is_unknown(
    whens: list[Any], values: list[tuple[float, ...]]
) -> None:
    matrix = np.array(values, dtype=np.float32)
    rules = [rule_of(number, when) for number, when in enumerate(whens)]
    expected = [[kleene(rule.when, row) is True for rule in rules] for row in matrix]
    assert fired_by(rules, matrix).tolist() == expected


@pytest.mark.parametrize("operator", ["at_least", "above", "at_most", "below"])
def test_neither_a_comparison_with_a_missing_value_nor_its_negation_fires(operator: str) -> None:
    row = (NAN, NAN, NAN, NAN, NAN)
    assert not fired({"column": "amount", operator: 10.0}, row)
    assert not fired({"not": {"column": "amount", operator: 10.0}}, row)


def test_only_is_missing_asks_for_missing_values() -> None:
    known, unknown = (1.0, 1.0, 1.0, 1.0, 1.0), (NAN, 1.0, 1.0, 1.0, 1.0)
    assert fired({"column": "amount", "is_missing": True}, unknown)
    assert not fired({"column": "amount", "is_missing": True}, known)
    assert fired({"column": "amount", "is_missing": False}, known)
    assert fired({"not": {"column": "amount", "is_missing": True}}, known)


def test_a_threshold_is_rounded_as_the_column_is() -> None:
    row = (0.1, 1.0, 1.0, 1.0, 1.0)
    assert float(np.float32(0.1)) > 0.1
    assert fired({"column": "amount", "at_most": 0.1}, row)
    assert fired({"column": "amount", "at_least": 0.1}, row)
    assert not fired({"column": "amount", "above": 0.1}, row)


def test_a_category_that_no_vocabulary_knows_is_not_taken_for_one_that_it_lacks() -> None:
    unknown = (1.0, 1.0, 1.0, 1.0, -1.0)
    assert fired({"not": {"column": "channel", "is": "online"}}, unknown)
    assert not fired({"not": {"column": "channel", "is": "carrier_pigeon"}}, unknown)


def test_codes_beyond_the_vocabulary_are_no_member_of_anything() -> None:
    for code in (4.0, 4_095.0, -2.0, 1e30, float("inf")):
        assert not fired(
            {"column": "channel", "in": ["chip", "atm"]}, (1.0, 1.0, 1.0, 1.0, code), {"column": "channel", "is": "atm"}
        )


def test_the_pack_gives_the_same_bits_in_any_batch(
    pack: Callable[..., RulePack], rule: Callable[..., str], columns: tuple[Column, ...]
) -> None:
    generator = np.random.default_rng(5)
    values = generator.uniform(0, 24, (200, len(columns))).astype(np.float32)
    values[generator.random(values.shape) < 0.2] = np.nan
    made = pack(
        rule("a", "{column: amount, above: 12}", score=0.3, outcome="escalate"),
        rule("b", "{column: hour, above: 12}", score=0.7, outcome="escalate"),
        rule("c", "{all: [{column: count_1h, above: 18}, {column: hour, below: 6}]}"),
    )
    whole = made.decide(values)
    for size in (1, 7, 64):
        parts = [made.decide(values[start : start + size]) for start in range(0, len(values), size)]
        for field in ("outcome", "deciding", "fired", "score"):
            joined = np.concatenate([getattr(part, field) for part in parts])
            assert joined.tobytes() == getattr(whole, field).tobytes()
