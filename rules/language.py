"""The rule language as types: what a rule file may hold, before any column is known.

A condition is a comparison of one column, or `all`, `any` or `not` of conditions. A comparison with a missing value is
neither true nor false, so that neither it nor its negation makes a rule fire (Kleene's three values); only `is_missing`
asks for missing values.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from streams.causes import Cause

RuleOutcome = Literal["escalate", "approve", "review", "block"]

NESTING_MAX = 16
RULES_MAX = 1_000
OPERATORS = ("at_least", "above", "at_most", "below", "between", "is", "in", "is_true", "is_missing")

Number = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
Words = Annotated[str, Field(min_length=1, max_length=500)]
Suspicion = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Comparison(_Strict):
    """One column against a value. Exactly one operator."""

    column: str
    at_least: Number | None = None
    above: Number | None = None
    at_most: Number | None = None
    below: Number | None = None
    between: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    is_: str | None = Field(default=None, alias="is")
    in_: Annotated[list[str], Field(min_length=1)] | None = Field(default=None, alias="in")
    is_true: bool | None = None
    is_missing: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_operator(cls, data: Any) -> Any:
        if isinstance(data, dict):
            given = [operator for operator in OPERATORS if data.get(operator) is not None]
            unknown = [key for key in data if key not in OPERATORS and key != "column"]
            if len(given) != 1 and not unknown:
                found = f"found {' and '.join(given)}" if given else "found none"
                message = "a comparison needs exactly one of {operators}; {found}"
                raise PydanticCustomError("operator", message, {"operators": ", ".join(OPERATORS), "found": found})
        return data

    @property
    def operator(self) -> str:
        """The operator's key, as written in the file."""
        return next(name for name in OPERATORS if self.value(name) is not None)

    def value(self, operator: str) -> Any:
        """What stands beside an operator's key."""
        return getattr(self, operator + "_" if operator in ("is", "in") else operator)


class AllOf(_Strict):
    """True when every condition is."""

    all: Annotated[list["Condition"], Field(min_length=1)]


class AnyOf(_Strict):
    """True when at least one condition is."""

    any: Annotated[list["Condition"], Field(min_length=1)]


class Negation(_Strict):
    """True when the condition is false, and not known to be so only because a value is missing."""

    not_: "Condition" = Field(alias="not")


_SHAPES = (("all", "all-of"), ("any", "any-of"), ("not", "negation"))


def _shape(data: Any) -> str:
    if isinstance(data, dict):
        return next((tag for key, tag in _SHAPES if key in data), "comparison")
    shapes = {AllOf: "all-of", AnyOf: "any-of", Negation: "negation"}
    return next((tag for model, tag in shapes.items() if isinstance(data, model)), "comparison")


Condition = Annotated[
    Annotated[AllOf, Tag("all-of")]
    | Annotated[AnyOf, Tag("any-of")]
    | Annotated[Negation, Tag("negation")]
    | Annotated[Comparison, Tag("comparison")],
    Discriminator(_shape),
]


class Rule(_Strict):
    """One rule. The smallest `priority` is asked first; `score` is how suspicious an event is when the rule fires.

    `cause` is the family of evidence its reason names; without it, that of the column that tells most (see
    `rules.telling`).
    """

    name: Name
    priority: Annotated[int, Field(ge=1, le=1_000_000)]
    outcome: RuleOutcome
    code: Code
    score: Suspicion
    sentence: Words
    description: Annotated[str, Field(max_length=2_000)] = ""
    cause: Cause | None = None
    when: Condition


class Fallback(_Strict):
    """Who decides without a model: noisy-or of the fired rules' scores, against these thresholds."""

    review: Suspicion
    block: Suspicion


class RuleFile(_Strict):
    """A whole rule file."""

    language: Literal[1]
    name: Name
    description: Annotated[str, Field(max_length=2_000)] = ""
    fallback: Fallback
    rules: Annotated[list[Rule], Field(min_length=1, max_length=RULES_MAX)]


for _model in (AllOf, AnyOf, Negation, Rule, RuleFile):
    _model.model_rebuild()
