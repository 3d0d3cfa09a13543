"""Conditions compiled into a flow of tests: short-circuit evaluation without a stack.

Each test looks at one column and says where to go on when it holds and when it does not; the two ends are `FIRES` and
`PASSES`. Negations are pushed down to the comparisons first (De Morgan), so that a missing value ends no test well.
Thresholds are rounded to float32, as the columns are: 0.1 in a file equals 0.1 in a column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.columns import Column
from rules.language import AllOf, Comparison, Condition, Negation, Rule

FIRES = -1
PASSES = -2

INTERVAL, MISSING, MEMBER = 0, 1, 2

_INFINITY = np.float32(np.inf)


@dataclass(frozen=True, slots=True)
class Program:
    """The rules of a pack as flat arrays, in priority order.

    `tests` int32[T, 6]: kind, column, next if it holds, next if not, offset and length in `members`.
    `bounds` float32[T, 2]: the closed interval of an INTERVAL test.
    `members` uint8: for each MEMBER test, whether code -1, 0, 1… belongs.
    `starts` int32[R]: the first test of each rule.
    `outcomes` int8[R] and `scores` float64[R]: what each rule says when it fires.
    """

    tests: NDArray[np.int32]
    bounds: NDArray[np.float32]
    members: NDArray[np.uint8]
    starts: NDArray[np.int32]
    outcomes: NDArray[np.int8]
    scores: NDArray[np.float64]


def compile_rules(rules: Sequence[Rule], columns: Sequence[Column], outcomes: Sequence[int]) -> Program:
    """Compile checked rules, given in priority order with the number of each one's outcome."""
    compiler = _Compiler({column.name: (index, column) for index, column in enumerate(columns)})
    starts = [compiler.condition(rule.when, FIRES, PASSES, negated=False) for rule in rules]
    return Program(
        tests=np.array(compiler.tests, dtype=np.int32).reshape(-1, 6),
        bounds=np.array(compiler.bounds, dtype=np.float32).reshape(-1, 2),
        members=np.array(compiler.members or [0], dtype=np.uint8),
        starts=np.array(starts, dtype=np.int32),
        outcomes=np.array(outcomes, dtype=np.int8),
        scores=np.array([rule.score for rule in rules], dtype=np.float64),
    )


class _Compiler:
    """Emits tests from the last to the first, so that every address is known when it is needed."""

    def __init__(self, columns: Mapping[str, tuple[int, Column]]) -> None:
        self.columns = columns
        self.tests: list[tuple[int, int, int, int, int, int]] = []
        self.bounds: list[tuple[np.float32, np.float32]] = []
        self.members: list[int] = []

    def condition(self, condition: Condition, if_true: int, if_false: int, *, negated: bool) -> int:
        """Emit a condition; returns the address of its first test."""
        if isinstance(condition, Comparison):
            return self._comparison(condition, if_true, if_false, negated=negated)
        if isinstance(condition, Negation):
            return self.condition(condition.not_, if_true, if_false, negated=not negated)
        every = isinstance(condition, AllOf) != negated
        parts = condition.all if isinstance(condition, AllOf) else condition.any
        address = if_true if every else if_false
        for part in reversed(parts):
            following = (address, if_false) if every else (if_true, address)
            address = self.condition(part, *following, negated=negated)
        return address

    def _comparison(self, comparison: Comparison, if_true: int, if_false: int, *, negated: bool) -> int:
        index, column = self.columns[comparison.column]
        operator = comparison.operator
        if operator == "is_missing":
            ways = (if_true, if_false) if comparison.is_missing != negated else (if_false, if_true)
            return self._emit(MISSING, index, *ways)
        if operator in ("is", "in"):
            return self._member(comparison, column, index, if_true, if_false, negated=negated)
        low, high = _interval(comparison)
        if not negated:
            return self._emit(INTERVAL, index, if_true, if_false, low=low, high=high)
        below = self._emit(INTERVAL, index, if_true, if_false, high=_before(low)) if low > -_INFINITY else if_false
        if high == _INFINITY:
            return below
        return self._emit(INTERVAL, index, if_true, below, low=_after(high))

    def _member(
        self, comparison: Comparison, column: Column, index: int, if_true: int, if_false: int, *, negated: bool
    ) -> int:
        wanted = [comparison.is_] if comparison.is_ is not None else list(comparison.in_ or [])
        belongs = [int((category in wanted) != negated) for category in column.categories]
        # A category outside the vocabulary (-1) is none of the wanted ones only when all of them are in it.
        unknown = int(negated and all(category in column.categories for category in wanted))
        offset = len(self.members)
        self.members += [unknown, *belongs]
        return self._emit(MEMBER, index, if_true, if_false, offset=offset, length=len(belongs) + 1)

    def _emit(
        self,
        kind: int,
        column: int,
        if_true: int,
        if_false: int,
        *,
        low: np.float32 = -_INFINITY,
        high: np.float32 = _INFINITY,
        offset: int = 0,
        length: int = 0,
    ) -> int:
        self.tests.append((kind, column, if_true, if_false, offset, length))
        self.bounds.append((low, high))
        return len(self.tests) - 1


def _interval(comparison: Comparison) -> tuple[np.float32, np.float32]:
    """A comparison of a number or flag as a closed interval of float32."""
    operator = comparison.operator
    value = comparison.value(operator)
    if operator == "between":
        return np.float32(value[0]), np.float32(value[1])
    if operator == "is_true":
        flag = np.float32(1.0 if value else 0.0)
        return flag, flag
    bound = np.float32(value)
    if operator in ("at_least", "above"):
        return (_after(bound) if operator == "above" else bound), _INFINITY
    return -_INFINITY, (_before(bound) if operator == "below" else bound)


def _after(value: np.float32) -> np.float32:
    return np.float32(np.nextafter(value, _INFINITY))


def _before(value: np.float32) -> np.float32:
    return np.float32(np.nextafter(value, -_INFINITY))
