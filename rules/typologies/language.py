"""A typology's file as types: banded rules whose weights add up (after Tazama: rule, banded reason, weighted typology).

Each rule looks at one column. The band that the value falls into gives a weight and a reason; one that falls between
bands gives none, and neither does a missing one that no band asks for. The typology's score is the sum of the weights
over the highest sum there can be, so that it lies in 0..1; from `alert_at` on it is a raw alert.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rules.language import Code, Condition, Name, Number, Words
from streams.causes import Cause

BANDS_MAX = 16
RULES_MAX = 50
WINDOW_DAYS_MAX = 31.0

Weight = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
AlertAt = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
MarketCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
_WAYS = ("from/to", "is_true", "in", "is_missing")


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Band(_Strict):
    """One band: numbers `from` (included) `to` (not included), at least one of them; or a flag; or categories; or a
    value that is missing.

    A negative `weight` speaks against the typology. `reason` is said in words when the band counts for it.
    """

    from_: Number | None = Field(default=None, alias="from")
    to: Number | None = None
    is_true: bool | None = None
    in_: Annotated[list[str], Field(min_length=1)] | None = Field(default=None, alias="in")
    is_missing: Literal[True] | None = None
    weight: Weight
    reason: Words

    @model_validator(mode="before")
    @classmethod
    def _one_way(cls, data: Any) -> Any:
        if isinstance(data, dict):
            found = ("from" in data or "to" in data, "is_true" in data, "in" in data, "is_missing" in data)
            given = [way for way, there in zip(_WAYS, found, strict=True) if there]
            if len(given) != 1:
                text = f"found {' and '.join(given)}" if given else "found none"
                raise PydanticCustomError(
                    "band", "a band needs exactly one of {ways}; {found}", {"ways": ", ".join(_WAYS), "found": text}
                )
        return data

    @property
    def way(self) -> Literal["number", "flag", "category", "missing"]:
        """The kind of column it is for; `missing` for any."""
        if self.is_missing:
            return "missing"
        return "flag" if self.is_true is not None else "category" if self.in_ is not None else "number"


Bands = Annotated[list[Band], Field(min_length=1, max_length=BANDS_MAX)]


class BandedRule(_Strict):
    """One rule. `in_thresholds`: its bands are multiples of the market's reporting threshold (for columns in US
    dollars). `cause` is the family of evidence its reasons name; without it, the column's."""

    name: Name
    code: Code
    column: str
    in_thresholds: bool = False
    cause: Cause | None = None
    description: Annotated[str, Field(max_length=2_000)] = ""
    bands: Bands


class RuleOverride(_Strict):
    """What a market changes about a rule: its bands, all of them."""

    bands: Bands


class MarketOverride(_Strict):
    """What a market changes about a typology."""

    alert_at: AlertAt | None = None
    rules: dict[str, RuleOverride] = {}

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.alert_at is None and not self.rules:
            raise PydanticCustomError("band", "changes nothing: give alert_at or rules")
        return self


class TypologyFile(_Strict):
    """A whole typology file. Rows where `when` is not true cannot show the typology: their score is 0.

    `window_days` is how far back its evidence reaches, and for how long a customer is not raised for it again.
    """

    language: Literal[1]
    typology: Name
    description: Annotated[str, Field(max_length=2_000)] = ""
    window_days: Annotated[float, Field(gt=0, le=WINDOW_DAYS_MAX, allow_inf_nan=False)]
    alert_at: AlertAt
    when: Condition | None = None
    rules: Annotated[list[BandedRule], Field(min_length=1, max_length=RULES_MAX)]
    markets: dict[MarketCode, MarketOverride] = {}
